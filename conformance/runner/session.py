"""Replays the rows of one set-up against one server, through its crashes and hangs."""

from dataclasses import dataclass

from .compare import judge
from .corpus import is_startup
from .decoders import Decoders
from .replay import Hang, NoAnswer, send
from .servers import HOST, NotStarted

MAX_STARTS = 4  # a set-up whose server broke this often is given up: its rows count as crashes


@dataclass
class Result:
    """What became of one row. `outcome`: answer, hang, crash, or not started."""

    setup: str
    row_id: str
    wanted_status: int
    outcome: str
    reason: str = ""
    got_status: int = None
    got_body: str = ""
    status_equal: bool = False
    body_equal: bool = False
    server_fault: bool = False
    deviation: str = None
    decided: str = None  # who decoded the payload: rust, python; none where there was none, or nobody tells

    @property
    def equal(self):
        return self.status_equal and self.body_equal

    @property
    def always_fails(self):
        """Whether no threshold and no deviation excuses it."""
        return self.outcome != "answer" or self.server_fault


def replay_setup(setup, make_server, row_seconds):
    """(results of every row, sentences about processes that outlived their server)."""
    results, left = [], []
    starts = [row for row in setup.rows if is_startup(row)]
    rows = [row for row in setup.rows if not is_startup(row)]
    for _ in range(MAX_STARTS):
        if not rows and not starts:
            break
        server = make_server(setup)
        try:
            with server:
                results += [judge_start(setup, row, True) for row in starts]
                starts = []
                rows = replay_rows(setup, rows, server, row_seconds, results)
        except NotStarted as error:
            results += [judge_start(setup, row, False, str(error)) for row in starts]
            results += [Result(setup.name, row["id"], row["status"], "not started", str(error)) for row in rows]
            rows = starts = []
        left += [f"{setup.name}: left behind {process}" for process in server.left_behind]
    gave_up = f"given up: the server broke {MAX_STARTS} times"
    results += [Result(setup.name, row["id"], row["status"], "crash", gave_up) for row in rows]
    return results, left


def judge_start(setup, row, ready, log=""):
    """The result of a row that records whether the server starts with a model. Exit codes are each server's own."""
    equal = ready == row["ready"]
    reason = "" if equal else f"the server {'started' if ready else 'did not start'}, recorded the opposite\n{log}"
    return Result(setup.name, row["id"], None, "answer", reason, status_equal=equal, body_equal=equal)


def replay_rows(setup, rows, server, row_seconds, results):
    """Replays until a row breaks the server; answers the rows that are left for a fresh one."""
    decoders = Decoders(HOST, server.port)
    for number, row in enumerate(rows, 1):
        result = replay_row(setup, row, HOST, server.port, row_seconds)
        results.append(result)
        result.decided = decoders.last()
        if result.outcome != "answer":
            if result.outcome == "crash" and server.ended():
                result.reason += f"; the server ended with {server.process.returncode}\n{server.log_tail(8)}"
            return rows[number:]
    return []


def replay_row(setup, row, host, port, row_seconds):
    result = Result(setup.name, row["id"], row["status"], "answer")
    try:
        answer = send(host, port, row, row_seconds)
    except Hang as error:
        result.outcome, result.reason = "hang", str(error)
        return result
    except NoAnswer as error:
        result.outcome, result.reason = "crash", str(error)
        return result
    verdict = judge(row, answer)
    result.got_status, result.got_body, result.reason = answer.status, answer.text, verdict.reason
    result.status_equal, result.body_equal = verdict.status_equal, verdict.body_equal
    result.server_fault = verdict.server_fault
    return result


class RunningServer:
    """Stands in for a server that somebody else started: nothing to start, nothing to end."""

    def __init__(self, port):
        self.port = port
        self.left_behind = []

    def ended(self):
        return False  # we cannot know; a broken connection tells

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None
