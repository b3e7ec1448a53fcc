"""The codec against the golden frames of `protocol/frames`, and against what is no frame."""

import glob
import json
import os
import socket
import threading
import unittest

from sluis_worker import framing, protocol
from sluis_worker.errors import ProtocolError

FRAMES = os.path.join(os.path.dirname(__file__), "..", "..", "..", "protocol", "frames", "*.json")


def connected(body_limit=1 << 20):
    ours, theirs = socket.socketpair()
    for sock in (ours, theirs):
        sock.settimeout(60)
    return ours, theirs, framing.FrameReader(theirs, body_limit)


class GoldenFrames(unittest.TestCase):
    def test_every_golden_frame_is_read_and_written_to_the_byte(self):
        paths = sorted(glob.glob(FRAMES))
        self.assertGreater(len(paths), 8)
        for path in paths:
            with self.subTest(os.path.basename(path)), open(path, encoding="utf-8") as file:
                golden = json.load(file)
                frame, body = bytes.fromhex(golden["frame"]), bytes.fromhex(golden["body"])
                ours, theirs, reader = connected()
                with ours, theirs:
                    ours.sendall(frame)
                    kind, call, head, read = reader.read()
                    self.assertEqual((kind, call), (golden["kind"], golden["call"]))
                    self.assertEqual(head.decode("utf-8"), golden["head"])
                    self.assertEqual(bytes(read), body)
                    framing.write_frame(ours, kind, call, head, [body])
                    self.assertEqual(theirs.recv(len(frame) + 1), frame)


class Streams(unittest.TestCase):
    def test_frames_in_one_piece_and_byte_by_byte_are_the_same(self):
        frame = framing.encode_header(1, 7, 2, 3) + b"{}abc"
        ours, theirs, reader = connected()
        with ours, theirs:
            ours.sendall(frame + frame)
            self.assertEqual(reader.read(), (1, 7, b"{}", bytearray(b"abc")))
            self.assertEqual(reader.read(), (1, 7, b"{}", bytearray(b"abc")))
            for position in range(len(frame)):
                ours.sendall(frame[position : position + 1])
            self.assertEqual(reader.read(), (1, 7, b"{}", bytearray(b"abc")))
            ours.close()
            self.assertIsNone(reader.read())

    def test_a_body_larger_than_any_buffer_arrives_whole(self):
        body = bytes(range(256)) * (1 << 14)
        ours, theirs, reader = connected(len(body))
        with ours, theirs:
            chunks = [body[:1], body[1:100000], b"", body[100000:]]
            sender = threading.Thread(target=framing.write_frame, args=(ours, 2, 1, b"{}", chunks))
            sender.start()
            self.assertEqual(bytes(reader.read()[3]), body)
            sender.join()

    def test_what_is_no_frame_is_refused_before_anything_is_allocated(self):
        good = framing.encode_header(1, 1, 0, 0)
        cases = {
            "begins with": b"HTTP" + good[4:],
            "reserved": good[:5] + b"\1" + good[6:],
            "head has": framing.encode_header(1, 1, protocol.HEAD_LIMIT + 1, 0),
            "body has": framing.encode_header(1, 1, 0, (1 << 20) + 1),
        }
        for words, header in cases.items():
            with self.subTest(words):
                ours, theirs, reader = connected()
                with ours, theirs:
                    ours.sendall(header)
                    with self.assertRaisesRegex(ProtocolError, words):
                        reader.read()

    def test_an_end_within_a_frame_is_an_error(self):
        for length in (1, 31, 33):
            ours, theirs, reader = connected()
            with ours, theirs:
                ours.sendall((framing.encode_header(1, 1, 2, 3) + b"{}abc")[:length])
                ours.close()
                with self.assertRaises(ProtocolError):
                    reader.read()


if __name__ == "__main__":
    unittest.main()
