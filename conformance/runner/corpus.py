"""Reads recorded rows and groups them into set-ups: one server start each. Knows no server and no comparison."""

import base64
import fnmatch
import json
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Setup:
    """Rows that one server process can answer: the same model, extra arguments and environment variables."""

    name: str
    model: Path
    args: list = field(default_factory=list)
    env: dict = field(default_factory=dict)
    rows: list = field(default_factory=list)


def read_setups(corpus, overlay=None, names="*", ids="*"):
    """The set-ups under `corpus` (a folder with `models/` and `cases/`), in order of their names.

    `names` and `ids` are comma-separated shell patterns for set-ups and rows. `overlay` is a folder of row files whose
    rows replace those with the same id: what another version answered.
    """
    setups = []
    for file in sorted((corpus / "cases").glob("*/cases.jsonl")):
        name = file.parent.name
        if matches(name, names):
            rows = [row for row in replaced(read_rows(file), overlay, name) if matches(row["id"], ids)]
            setups += split(name, corpus / "models", rows)
    return setups


def all_ids(corpus):
    """The id of every row under `corpus`, whatever is asked for in this run."""
    return {row["id"] for file in (corpus / "cases").glob("*/cases.jsonl") for row in read_rows(file)}


def read_rows(file):
    """The rows of one file: requests, and how the server starts or fails to (`kind: startup`)."""
    with open(file, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def is_startup(row):
    """Whether a row records a start and not a request."""
    return row.get("kind") == "startup"


def request_body(row):
    """The bytes of the request's body."""
    if row.get("body_b64"):
        return base64.b64decode(row["body_b64"])
    return row["body"].encode("utf-8", errors="surrogatepass")


def replaced(rows, overlay, name):
    """`rows` with those of the overlay's file in place of the ones with the same id."""
    file = overlay / f"{name}.jsonl" if overlay else None
    if file is None or not file.exists():
        return rows
    others = {row["id"]: row for row in read_rows(file)}
    return [others.get(row["id"], row) for row in rows]


def split(name, models, rows):
    """One set-up for each kind of server that the rows of one file ask for."""
    found = {}
    for row in rows:
        server = row.get("server") or {}
        key = json.dumps(server, sort_keys=True)
        if key not in found:
            title = name if not found else f"{name}#{len(found) + 1}"
            model = models / server.get("model", name)
            found[key] = Setup(title, model, server.get("args", []), server.get("env", {}))
        found[key].rows.append(row)
    return list(found.values())


def matches(text, patterns):
    return any(fnmatch.fnmatchcase(text, pattern.strip()) for pattern in patterns.split(","))
