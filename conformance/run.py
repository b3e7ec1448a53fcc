#!/usr/bin/env python3
"""Replay recorded requests against a scoring server and print how far its answers agree.

    run.py --target sluis  --sluis target/release/sluis --python VENV/bin/python --min-status 98 --min-body 98
    run.py --target mlflow --python VENV/bin/python
    run.py --url http://127.0.0.1:5000 --models sk_cols

VENV holds the packages that the models were saved with (see environment/requirements.txt). For every set-up (a model
and the server options its rows ask for) a server is started on a free port, at most --jobs at once, and ended again.

Exit codes: 0 all thresholds met; 1 a threshold missed, a stale entry in the list of known differences, or one of what
no threshold excuses: a 5xx where the recorded answer is a 4xx, a hang, a crash, a process left behind; 2 wrong usage.
"""

import argparse
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from runner import corpus, deviations, report, servers, session  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", choices=("sluis", "mlflow"), default="sluis", help="which server to start")
    parser.add_argument("--sluis", type=Path, default=HERE.parent / "target/release/sluis", help="the sluis program")
    parser.add_argument("--python", default=sys.executable, help="the Python with the models' packages")
    parser.add_argument("--url", help="a server that runs already; give --models too")
    parser.add_argument("--corpus", type=Path, default=HERE / "mlflow", help="folder with models/ and cases/")
    parser.add_argument("--overlay", type=Path, help="rows that replace those of the same id: another version's answers")
    parser.add_argument("--models", default="*", help="set-ups to run: names or shell patterns, comma-separated")
    parser.add_argument("--cases", default="*", help="row ids to run: names or shell patterns, comma-separated")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="servers at once")
    parser.add_argument("--row-seconds", type=float, default=30.0, help="deadline of one row; later is a hang")
    parser.add_argument("--server-arg", action="append", default=[], help="a further option for every server")
    parser.add_argument("--deviations", type=Path, default=HERE / "deviations.yaml", help="the known differences")
    parser.add_argument("--min-status", type=float, default=0.0, help="least status parity in percent")
    parser.add_argument("--min-body", type=float, default=0.0, help="least body parity in percent")
    parser.add_argument("--strict", action="store_true", help="every difference must be a known one")
    parser.add_argument("--json", type=Path, help="write every row's result here")
    parser.add_argument("--show-failures", action="store_true", help="print every row that differs")
    return parser.parse_args()


def server_maker(options):
    """A function from a set-up to the server that answers its rows."""
    if options.url:
        port = urlsplit(options.url).port or 80
        return lambda setup: session.RunningServer(port)
    # Not resolved: the link in a virtual environment is what makes Python use it.
    python = Path(os.path.abspath(options.python))
    if options.target == "mlflow":
        command = servers.mlflow_command(python, options.server_arg)
    else:
        extra = [*dialect(options.corpus), *options.server_arg]
        command = servers.sluis_command(options.sluis.resolve(), python, extra)
    return lambda setup: servers.Server(command, setup, python)


def check_usage(options, setups):
    """One sentence that says what is wrong with the command line, or None."""
    if not any(setup.rows for setup in setups):
        return f"no row matches: --corpus {options.corpus} --models {options.models} --cases {options.cases}"
    if options.url:
        return None if urlsplit(options.url).hostname in ("127.0.0.1", "localhost") else "--url: only http://127.0.0.1:PORT"
    needed = [Path(options.python)] + ([options.sluis] if options.target == "sluis" else [])
    absent = [str(path) for path in needed if not path.exists()]
    return f"not found: {', '.join(absent)}" if absent else None


def corpus_name(folder):
    """How the list of known differences names a corpus: its path in this folder."""
    return Path(os.path.relpath(folder.resolve(), HERE)).as_posix()


def dialect(folder):
    """The options that have Sluis answer as the server did that a corpus was recorded with."""
    return ["--strictness", "azure"] if corpus_name(folder).startswith("azure/") else []


def replay_all(setups, make_server, options):
    """Results of all set-ups, and sentences about processes left behind."""
    results, left = [], []
    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        begun = time.monotonic()
        waiting = {pool.submit(session.replay_setup, s, make_server, options.row_seconds): s for s in setups if s.rows}
        try:
            for future in as_completed(waiting):
                found, behind = future.result()
                results += found
                left += behind
                equal = sum(result.equal for result in found)
                took = time.monotonic() - begun
                print(f"[{took:6.1f} s] {waiting[future].name}: {equal} of {len(found)} equal", file=sys.stderr, flush=True)
        except BaseException:  # interrupted: what runs ends by itself, what waits must not begin
            pool.shutdown(cancel_futures=True)
            raise
    return sorted(results, key=lambda result: result.row_id), left


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are ended on the way out
    options = arguments()
    options.corpus = options.corpus.resolve()  # servers run in folders of their own
    setups = corpus.read_setups(options.corpus, options.overlay, options.models, options.cases)
    wrong = check_usage(options, setups)
    if wrong:
        print(f"error: {wrong}", file=sys.stderr)
        return 2
    ours = options.target == "sluis" and options.deviations.exists()
    try:
        known = deviations.read(options.deviations, corpus_name(options.corpus)) if ours else []
    except deviations.BadList as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    results, problems = replay_all(setups, server_maker(options), options)
    deviations.apply(known, results)
    problems += deviations.stale(known, results, corpus.all_ids(options.corpus))
    problems += report.problems_of(results, options.min_status, options.min_body, options.strict)
    if options.show_failures:
        report.print_failures(results, {row["id"]: row for setup in setups for row in setup.rows})
        print()
    report.print_table(results)
    report.print_deciders(results)
    if options.json:
        report.write_json(options.json, results, problems)
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
