"""The codec of the data channel: frames of a fixed header, a JSON head and a body.

Knows bytes and limits, not what the kinds mean. `protocol/worker.md` quotes this file's digest.
"""

import json
import struct

from .errors import ProtocolError
from .protocol import HEAD_LIMIT

MAGIC = b"SLW1"

#: magic, kind, three zero bytes, call id, head length, four zero bytes, body length; little-endian.
HEADER = struct.Struct("<4sB3sQI4sQ")

#: Small frames arrive with one system call; larger bodies are received straight into their own buffer.
READ_AHEAD = 64 << 10


def encode_header(kind, call, head_length, body_length):
    """The 32 bytes before head and body."""
    return HEADER.pack(MAGIC, kind, b"\0\0\0", call, head_length, b"\0\0\0\0", body_length)


def decode_header(header, body_limit):
    """(kind, call, head length, body length); refuses what is no header and what is longer than the limits."""
    magic, kind, zeros, call, head_length, more_zeros, body_length = HEADER.unpack(header)
    if magic != MAGIC:
        raise ProtocolError("a frame begins with {!r}, expected {!r}".format(bytes(magic), MAGIC))
    if any(zeros) or any(more_zeros):
        raise ProtocolError("reserved bytes of a frame header are not zero")
    if head_length > HEAD_LIMIT:
        raise ProtocolError("a frame's head has {} bytes, the limit is {}".format(head_length, HEAD_LIMIT))
    if body_length > body_limit:
        raise ProtocolError("a frame's body has {} bytes, the limit is {}".format(body_length, body_limit))
    return kind, call, head_length, body_length


#: Kept: `json.dumps` would make an encoder for each head.
_encode = json.JSONEncoder(separators=(",", ":")).encode


def encode_head(head):
    """A head as frames carry it: JSON in ASCII."""
    return _encode(head).encode("ascii")


def write_frame(sock, kind, call, head, chunks):
    """Sends one frame; `chunks` are bytes-like objects that follow each other as the body."""
    views = [memoryview(chunk) for chunk in chunks]
    body_length = sum(view.nbytes for view in views)
    parts = [memoryview(encode_header(kind, call, len(head), body_length)), memoryview(head)]
    parts += [view for view in views if view.nbytes]
    total = sum(part.nbytes for part in parts)
    sent = sock.sendmsg(parts)
    if sent == total:
        return
    for part in parts:
        if sent >= part.nbytes:
            sent -= part.nbytes
        else:
            sock.sendall(part[sent:])
            sent = 0


class FrameReader:
    """Reads frames from a stream socket."""

    def __init__(self, sock, body_limit):
        self._sock = sock
        self._body_limit = body_limit
        self._buffer = memoryview(bytearray(READ_AHEAD))
        self._start = 0
        self._end = 0

    def read(self):
        """(kind, call, head, body), or None where the stream ends between two frames.

        The body is a bytearray of its own: arrays over it are aligned and may be written to.
        """
        if not self._fill(HEADER.size):
            return None
        header = self._buffer[self._start : self._start + HEADER.size]
        kind, call, head_length, body_length = decode_header(header, self._body_limit)
        self._start += HEADER.size
        head = self._take(head_length)
        return kind, call, bytes(head), self._take(body_length)

    def _fill(self, count):
        """Buffers at least `count` bytes; False at the end of the stream before the first of them."""
        if self._start == self._end:
            self._start = self._end = 0
        while self._end - self._start < count:
            if self._start + count > len(self._buffer):
                left = self._end - self._start
                self._buffer[:left] = bytes(self._buffer[self._start : self._end])
                self._start, self._end = 0, left
            received = self._sock.recv_into(self._buffer[self._end :])
            if received == 0:
                if self._end == self._start:
                    return False
                raise ProtocolError("the stream ended within a frame's header")
            self._end += received
        return True

    def _take(self, count):
        """The next `count` bytes in a buffer of their own."""
        result = bytearray(count)
        buffered = min(count, self._end - self._start)
        result[:buffered] = self._buffer[self._start : self._start + buffered]
        self._start += buffered
        view = memoryview(result)
        while buffered < count:
            received = self._sock.recv_into(view[buffered:])
            if received == 0:
                raise ProtocolError("the stream ended within a frame")
            buffered += received
        return result
