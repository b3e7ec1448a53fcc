#!/usr/bin/env python3
"""What one call costs in the worker process beside the model: frame in, decode, predict, encode, frame out.

    worker_call.py MODEL [MODEL ...] [--rows 1] [--calls 3000] [--rounds 7] [--against REVISION]

Runs in an environment that holds the models' packages. No server and no network: frames of a dense call are written into
a socket and the worker's own code answers them in this process. With --against, the worker program of another revision is measured in
turn with this one, and the ratio is printed: machines differ, ratios less so.
"""

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORKER = os.path.join(ROOT, "python", "worker")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="model folders with a signature of double columns")
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--calls", type=int, default=3000, help="calls of a round")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--against", metavar="REVISION", help="a Git revision whose worker is measured too")
    parser.add_argument("--program", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.program:
        return measure(args)
    with tempfile.TemporaryDirectory() as folder:
        programs = {"here": WORKER}
        if args.against:
            programs[args.against] = extract(args.against, folder)
        for model in args.models:
            compare(model, programs, args)
    return None


def extract(revision, folder):
    """The worker program of a revision, in a folder of its own."""
    archive = subprocess.run(
        ["git", "-C", ROOT, "archive", revision, "python/worker"], check=True, stdout=subprocess.PIPE
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder)
    return os.path.join(folder, "python", "worker")


def compare(model, programs, args):
    """One process per program, both alive; their rounds alternate."""
    command = [sys.executable, os.path.abspath(__file__), model, "--rows", str(args.rows), "--calls", str(args.calls)]
    running = {
        name: subprocess.Popen(
            command + ["--program", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name, program in programs.items()
    }
    found = {name: [] for name in programs}
    for round_ in range(args.rounds + 1):
        for name, process in running.items():
            process.stdin.write("go\n")
            process.stdin.flush()
            line = process.stdout.readline()
            if not line:
                raise SystemExit("{}: the measured process ended".format(name))
            if round_:  # The first round warms up.
                found[name].append(json.loads(line))
    for process in running.values():
        process.stdin.close()
        process.wait()
    print("{}, {} row(s)".format(os.path.basename(os.path.normpath(model)), args.rows))
    medians = {}
    for name, rounds in found.items():
        total, predict = (statistics.median(entry[key] for entry in rounds) for key in ("call_us", "predict_us"))
        medians[name] = (total, total - predict)
        print("  {:12} {:8.1f} us a call, {:8.1f} in the model, {:6.1f} beside it".format(
            name[:12], total, predict, total - predict))
    if args.against:
        (now, beside), (before, beside_before) = medians["here"], medians[args.against]
        print("  ratio        {:.2f} of the call, {:.2f} of what is beside the model".format(
            now / before, beside / beside_before))


def measure(args):
    """Answers `go` on standard input with the medians of one round."""
    sys.path.insert(0, args.program)
    out, sys.stdout = sys.stdout, sys.stderr
    import logging
    import socket
    import struct
    import time

    import numpy as np
    from sluis_worker import framing, loader, scorer

    logging.disable(logging.WARNING)
    loaded = loader.load(args.models[0])
    columns = loaded.model.metadata.get_input_schema().input_names()
    scores = scorer.Scorer(loaded, columns, False)
    parent, child = socket.socketpair()
    for end in (parent, child):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    reader = framing.FrameReader(child, 1 << 30)
    head = framing.encode_head({"dtype": "float64", "shape": [args.rows, len(columns)], "as": "frame"})
    body = np.random.default_rng(1).random((args.rows, len(columns))).tobytes()
    frame = framing.encode_header(1, 1, len(head), len(body)) + head + body
    while sys.stdin.readline():
        calls, predicts = [], []
        for _ in range(args.calls):
            parent.sendall(frame)
            begun = time.perf_counter_ns()
            kind, call, call_head, call_body = reader.read()
            answer, answer_head, chunks = scores.score(kind, call_head, call_body)
            framing.write_frame(child, answer, call, framing.encode_head(answer_head), chunks)
            calls.append(time.perf_counter_ns() - begun)
            predicts.append(answer_head["predict_ns"])
            header = parent.recv(32, socket.MSG_WAITALL)
            left = struct.unpack("<16xI4xQ", header)
            parent.recv(sum(left), socket.MSG_WAITALL)
        print(json.dumps({"call_us": statistics.median(calls) / 1e3, "predict_us": statistics.median(predicts) / 1e3}),
              file=out, flush=True)


if __name__ == "__main__":
    main()
