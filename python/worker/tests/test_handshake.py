"""The handshake of a real worker process; no model, no packages."""

import unittest

from sluis_worker import protocol
from tests.parent import Parent


class Handshake(unittest.TestCase):
    def setUp(self):
        self.parent = Parent()
        self.addCleanup(self.parent.close)

    def test_a_worker_says_its_version_first(self):
        hello = self.parent.receive()
        self.assertEqual(hello["type"], "hello")
        self.assertEqual(hello["protocol"], protocol.VERSION)
        self.assertEqual(hello["pid"], self.parent.process.pid)

    def test_another_version_is_refused_with_both_named(self):
        self.parent.receive()
        self.parent.send({"type": "load", "protocol": 99, "model": "/nowhere"})
        failed = self.parent.receive()
        self.assertEqual((failed["type"], failed["stage"]), ("failed", "protocol"))
        self.assertIn("99", failed["message"])
        self.assertIn("version {}".format(protocol.VERSION), failed["message"])
        self.assertEqual(self.parent.close(), 1)

    def test_another_first_message_is_refused(self):
        self.parent.receive()
        self.parent.send({"type": "stop"})
        self.assertIn("expected 'load'", self.parent.receive()["message"])

    def test_the_parents_end_ends_the_worker(self):
        self.parent.receive()
        self.assertEqual(self.parent.close(), 1)


if __name__ == "__main__":
    unittest.main()
