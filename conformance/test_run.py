"""Tests of the comparison rules, the reading of rows, the list of known differences and the exit conditions."""

import http.server
import json
import sys
import tempfile
import threading
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from runner import corpus, deviations, replay, report  # noqa: E402
from runner.compare import Answer, json_difference, judge  # noqa: E402
from runner.session import Result, RunningServer, replay_setup  # noqa: E402


def row(status=200, recorded="{}", **more):
    return {"id": "m-001", "description": "", "method": "POST", "path": "/invocations", "headers": [], "body": "",
            "status": status, "response_headers": {}, "response_body": recorded, **more}


def answer(status=200, body="{}", **headers):
    return Answer(status, headers, body.encode())


class JsonEquality(unittest.TestCase):
    EQUAL = [
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}'),
        ("1.0", "1.0000000000001"),
        ("0.0", "-0.0"),
        ("NaN", "NaN"),
        ("[NaN, Infinity]", "[NaN, Infinity]"),
        ("1e400", "Infinity"),
        ("1.5e10", "15000000000.0"),
        ('"\\u00e9"', '"é"'),
        ("9007199254740993", "9007199254740993"),
    ]
    DIFFERENT = [
        ("1", "1.0"),
        ("1", "true"),
        ("0", "false"),
        ("1", '"1"'),
        ("null", "NaN"),
        ("NaN", "1.0"),
        ("1.0", "NaN"),
        ("1.0", "1.00000001"),
        ("9007199254740993", "9007199254740992"),
        ("Infinity", "-Infinity"),
        ("[1, 2]", "[2, 1]"),
        ("[1]", "[1, 1]"),
        ('{"a": 1}', '{"a": 1, "b": null}'),
        ("[]", "{}"),
        ('"a"', '"A"'),
    ]

    def test_equal(self):
        for one, other in self.EQUAL:
            with self.subTest(one=one, other=other):
                self.assertEqual(json_difference(json.loads(one), json.loads(other)), "")

    def test_different(self):
        for one, other in self.DIFFERENT:
            with self.subTest(one=one, other=other):
                self.assertNotEqual(json_difference(json.loads(one), json.loads(other)), "")

    def test_the_place_is_named(self):
        difference = json_difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]})
        self.assertEqual(difference, "$.a[1].b: 3 instead of 2")


class AnswerEquality(unittest.TestCase):
    def verdict(self, recorded, got):
        found = judge(recorded, got)
        return found.status_equal, found.body_equal, found.server_fault

    def test_table(self):
        error = '{"error_code": "BAD_REQUEST", "message": "one"}'
        same_code = '{"error_code": "BAD_REQUEST", "message": "two", "hint": "more"}'
        other_code = '{"error_code": "INTERNAL_ERROR", "message": "one"}'
        table = [
            ("success", row(), answer(), (True, True, False)),
            ("success as text", row(200, "\n"), answer(body="\n"), (True, True, False)),
            ("success, other text", row(200, "a"), answer(body="b"), (True, False, False)),
            ("success, no JSON", row(), answer(body="oops"), (True, False, False)),
            ("error, other message", row(400, error), answer(400, same_code), (True, True, False)),
            ("error, other code", row(400, error), answer(400, other_code), (True, False, False)),
            ("error without code", row(404, '{"detail": "x"}'), answer(404, '{"detail": "y"}'), (True, True, False)),
            ("error text, other text", row(500, "one"), answer(500, "two"), (True, True, False)),
            ("error text, JSON came", row(500, "one"), answer(500, error), (True, False, False)),
            ("error, text came", row(400, error), answer(400, "one"), (True, False, False)),
            ("other status", row(400, error), answer(422, error), (False, False, False)),
            ("5xx for 4xx", row(400, error), answer(500, error), (False, False, True)),
            ("5xx for 2xx is no fault of that kind", row(), answer(503), (False, False, False)),
            ("unstable", row(400, error, unstable=True), answer(400, other_code), (True, True, False)),
            ("unstable, text came", row(400, error, unstable=True), answer(400, "x"), (True, False, False)),
        ]
        for name, recorded, got, wanted in table:
            with self.subTest(name):
                self.assertEqual(self.verdict(recorded, got), wanted)

    def test_redirect_compares_the_path_only(self):
        recorded = row(307, "", response_headers={"location": "http://127.0.0.1:5610/invocations"})
        here = answer(307, "", location="http://127.0.0.1:9/invocations")
        relative = answer(307, "", location="/invocations")
        elsewhere = answer(307, "", location="http://127.0.0.1:5610/other")
        self.assertEqual([judge(recorded, got).body_equal for got in (here, relative, elsewhere, answer(307, ""))],
                         [True, True, False, False])


class Requests(unittest.TestCase):
    def test_headers_leave_as_recorded(self):
        sent = replay.request_bytes("h", 1, row(headers=[["cOntent-type", ""], ["Accept", "text/csv"]], body="é"))
        self.assertEqual(sent, b"POST /invocations HTTP/1.1\r\nHost: h:1\r\ncOntent-type: \r\nAccept: text/csv\r\n"
                               b"Content-Length: 2\r\nConnection: close\r\n\r\n" + "é".encode())

    def test_binary_body(self):
        self.assertEqual(corpus.request_body({"body": "", "body_b64": "AP8="}), b"\x00\xff")

    def test_a_hang_is_told_from_a_broken_connection(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                if self.path == "/hang":
                    self.server.released.wait(30)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.released = threading.Event()
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            port = server.server_address[1]
            rows = [row(path="/hang"), row(path="/closes")]
            setup = corpus.Setup("m", Path("m"), rows=rows)
            results, left = replay_setup(setup, lambda _: RunningServer(port), 0.2)
            self.assertEqual([result.outcome for result in results], ["hang", "crash"])
            self.assertEqual(left, [])
        finally:
            server.released.set()
            server.shutdown()
            server.server_close()
            thread.join()


class Corpus(unittest.TestCase):
    def test_every_recorded_answer_equals_itself(self):
        for folder in (HERE / "mlflow", HERE / "azure/nocode"):
            for setup in corpus.read_setups(folder):
                self.assertTrue((setup.model / "MLmodel").exists(), setup.model)
                for recorded in setup.rows:
                    if corpus.is_startup(recorded):
                        continue
                    got = Answer(recorded["status"], recorded["response_headers"], recorded["response_body"].encode())
                    found = judge(recorded, got)
                    self.assertTrue(found.body_equal, f"{recorded['id']}: {found.reason}")

    def test_ids_are_unique(self):
        rows = [recorded["id"] for setup in corpus.read_setups(HERE / "mlflow") for recorded in setup.rows]
        self.assertEqual(len(rows), len(set(rows)))

    def test_overlay_replaces_rows(self):
        plain = corpus.read_setups(HERE / "mlflow", names="echo_single")[0]
        other = corpus.read_setups(HERE / "mlflow", HERE / "mlflow/differences-2.22", names="echo_single")[0]
        self.assertEqual([r["id"] for r in plain.rows], [r["id"] for r in other.rows])
        self.assertNotEqual(plain.rows, other.rows)

    def test_options_make_their_own_setup(self):
        rows = [row(), row(server={"model": "other", "args": ["--timeout", "2"]})]
        found = corpus.split("m", Path("models"), rows)
        self.assertEqual([(s.name, s.model.name, s.args) for s in found],
                         [("m", "m", []), ("m#2", "other", ["--timeout", "2"])])


class Deviations(unittest.TestCase):
    def result(self, row_id, equal=False, status=500, fault=False):
        return Result("m", row_id, 400, "answer", got_status=status, status_equal=equal, body_equal=equal,
                      server_fault=fault)

    def test_explains_what_differs_as_listed(self):
        known = [deviations.Deviation(["m-1*"], "why", status=415)]
        results = [self.result("m-10", status=415), self.result("m-11", status=422), self.result("n-1", status=415)]
        deviations.apply(known, results)
        self.assertEqual([result.deviation for result in results], ["why", None, None])
        self.assertEqual(deviations.stale(known, results, {"m-10", "m-11", "n-1"}), [])

    def test_never_explains_a_fault_of_the_server(self):
        results = [self.result("m-1", fault=True)]
        deviations.apply([deviations.Deviation(["m-1"], "why")], results)
        self.assertIsNone(results[0].deviation)

    def test_stale_entries_are_found(self):
        known = [deviations.Deviation(["m-1", "m-2", "zz"], "why")]
        results = [self.result("m-1", equal=True)]
        deviations.apply(known, results)
        stale = deviations.stale(known, results, {"m-1", "m-2"})  # m-2 was not replayed: nothing is known about it
        self.assertEqual(len(stale), 2)
        self.assertIn("'m-1' is stale", stale[0])
        self.assertIn("'zz' names no row", stale[1])

    def test_the_list_can_be_read(self):
        for name in ("mlflow", "azure/nocode"):
            deviations.read(HERE / "deviations.yaml", name)

    def test_an_entry_without_reason_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "d.yaml")
            file.write_text("- {rows: [a], mlflow: x, sluis: y}\n")
            with self.assertRaisesRegex(deviations.BadList, "entry 1: lacks reason"):
                deviations.read(file, "mlflow")


class ExitConditions(unittest.TestCase):
    def results(self, **change):
        good = [Result("m", f"m-{i}", 200, "answer", status_equal=True, body_equal=True) for i in range(9)]
        return good + [Result("m", "m-x", 200, **{"outcome": "answer", **change})]

    def test_thresholds(self):
        differs = self.results(status_equal=True)
        self.assertEqual(report.problems_of(differs, 100, 90, strict=False), [])
        self.assertEqual(len(report.problems_of(differs, 100, 91, strict=False)), 1)
        self.assertEqual(len(report.problems_of(differs, 0, 0, strict=True)), 1)

    def test_what_no_threshold_excuses(self):
        for change in ({"server_fault": True}, {"outcome": "hang"}, {"outcome": "crash"}, {"outcome": "not started"}):
            with self.subTest(change):
                found = report.problems_of(self.results(**change), 0, 0, strict=False)
                self.assertEqual(len(found), 1)
                self.assertIn("m-x", found[0])

    def test_nothing_replayed_meets_no_threshold(self):
        self.assertEqual(len(report.problems_of([], 1, 1, strict=False)), 2)


if __name__ == "__main__":
    unittest.main()
