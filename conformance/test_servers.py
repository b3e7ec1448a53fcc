"""Tests of starting and ending servers, with a small server of our own as a real process."""

import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from runner import corpus, servers, session  # noqa: E402

# Answers 200 to everything; /crash ends the process. An argument makes it misbehave.
SERVER = """
import http.server, os, subprocess, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/crash":
            os._exit(7)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass

if "--fails" in sys.argv:
    sys.exit("no such model")
if "--leaves-a-child" in sys.argv:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def row(row_id, path):
    return {"id": row_id, "method": "GET", "path": path, "headers": [], "body": "", "status": 200,
            "response_headers": {}, "response_body": "{}"}


class Servers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.program = Path(folder.name, "server.py")
        self.program.write_text(SERVER)
        self.started = []

    def replay(self, rows, *arguments):
        def make(setup):
            self.started.append(servers.Server(self.command, setup, sys.executable))
            return self.started[-1]

        setup = corpus.Setup("m", Path("m"), list(arguments), rows=rows)
        return session.replay_setup(setup, make, 30)

    def command(self, _model, port, arguments):
        return [sys.executable, str(self.program), str(port), *arguments]

    def test_a_server_that_behaves_leaves_nothing(self):
        results, left = self.replay([row("m-1", "/a"), row("m-2", "/b")])
        self.assertEqual(([result.equal for result in results], left), ([True, True], []))
        self.assertFalse(self.started[0].folder.exists())

    def test_a_crash_is_counted_and_the_rows_after_it_get_a_new_server(self):
        results, _ = self.replay([row("m-1", "/crash"), row("m-2", "/b")])
        self.assertEqual([result.outcome for result in results], ["crash", "answer"])
        self.assertIn("ended with 7", results[0].reason)
        self.assertEqual(len(self.started), 2)

    def test_a_server_that_always_crashes_is_given_up(self):
        results, _ = self.replay([row(f"m-{i}", "/crash") for i in range(9)])
        self.assertEqual([result.outcome for result in results], ["crash"] * 9)
        self.assertEqual(len(self.started), session.MAX_STARTS)

    def test_a_server_that_does_not_start_says_why(self):
        results, _ = self.replay([row("m-1", "/a")], "--fails")
        self.assertEqual(results[0].outcome, "not started")
        self.assertIn("no such model", results[0].reason)

    def test_whether_a_server_starts_is_compared(self):
        def start(row_id, ready):
            return {"id": row_id, "description": "", "kind": "startup", "ready": ready}

        fails, _ = self.replay([start("m-1", False), start("m-2", True)], "--fails")
        self.assertEqual([result.equal for result in fails], [True, False])
        self.assertIn("no such model", fails[1].reason)
        starts, _ = self.replay([start("m-1", True), row("m-2", "/a")])
        self.assertEqual([result.equal for result in starts], [True, True])
        self.assertEqual(len(self.started), 2)

    @unittest.skipUnless(Path("/proc/self/environ").exists(), "processes left behind are found through /proc")
    def test_a_process_left_behind_is_named_and_ended(self):
        _, left = self.replay([row("m-1", "/a")], "--leaves-a-child")
        self.assertEqual(len(left), 1)
        self.assertIn("left behind pid", left[0])
        self.assertEqual(servers.marked(self.started[0].mark), [])


if __name__ == "__main__":
    unittest.main()
