#!/usr/bin/env bash
# Ours against `mlflow models serve`, side by side in one run.
#
#   bench/run.sh setup     once: the Python environment and the models, under $BENCH_HOME (default target/bench)
#   bench/run.sh           measures and says which figures of README.md are met
#   bench/run.sh online …  only online.py, with its options;  start … only start.py
#
# BENCH_PYTHON: a Python that has the packages of conformance/environment/requirements.txt, instead of an environment of its own.
# SLUIS_BIN: the program to measure (default target/release/sluis).

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export BENCH_HOME=${BENCH_HOME:-$PWD/target/bench}
python=${BENCH_PYTHON:-$BENCH_HOME/venv/bin/python}
mkdir -p "$BENCH_HOME"

setup() {
    if [[ -z ${BENCH_PYTHON:-} && ! -e $BENCH_HOME/venv/complete ]]; then
        python3 -m venv --clear "$BENCH_HOME/venv"
        "$python" -m pip install -q --disable-pip-version-check -r conformance/environment/requirements.txt
        touch "$BENCH_HOME/venv/complete"
    fi
    "$python" bench/make_models.py "$BENCH_HOME" "$@"
}

ready() {
    if ! command -v wrk >/dev/null; then
        echo "error: wrk, the load generator, is not on PATH; most systems have it as the package 'wrk'" >&2
        exit 2
    fi
    if [[ ! -e $BENCH_HOME/data/linear.expect.npy || ! -x $python ]]; then
        echo "error: nothing to measure with yet; run bench/run.sh setup first" >&2
        exit 2
    fi
}

case ${1:-all} in
    setup) shift; setup "$@" ;;
    online | start) ready; name=$1; shift; exec "$python" "bench/$name.py" "$@" ;;
    all)
        ready
        results=bench/results/$(date -u +%Y%m%dT%H%M%SZ)
        mkdir -p "$results"
        failed=0
        "$python" bench/online.py --out "$results/online.jsonl" || failed=1
        "$python" bench/start.py --out "$results/start.jsonl" || failed=1
        "$python" bench/figures.py "$results/online.jsonl" "$results/start.jsonl" || failed=1
        exit $failed
        ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
