"""Request bodies made of a model's rows, and the predictions in an answer. Knows no server."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd

HOME = Path(os.environ.get("BENCH_HOME") or Path(__file__).resolve().parent.parent / "target" / "bench")
DATA, MODELS, PAYLOADS = HOME / "data", HOME / "models", HOME / "payloads"


def split(frame):
    return {"columns": list(frame.columns), "data": [list(row) for row in zip(*(frame[c].tolist() for c in frame))]}


STYLES = {
    "split": lambda frame: {"dataframe_split": split(frame)},
    "records": lambda frame: {"dataframe_records": frame.to_dict("records")},
    "inputs": lambda frame: {"inputs": {column: frame[column].tolist() for column in frame}},
    "azure": lambda frame: {"input_data": {**split(frame), "index": list(range(len(frame)))}},
}


def payload(model, rows, style):
    """The file with the body of `rows` rows (made on first use); numbers in full float64 precision."""
    PAYLOADS.mkdir(parents=True, exist_ok=True)
    path = PAYLOADS / f"{model}-{rows}-{style}.{'csv' if style == 'csv' else 'json'}"
    if not path.exists():
        frame = pd.read_parquet(DATA / f"{model}.parquet").head(rows)
        path.write_text(frame.to_csv(index=False) if style == "csv" else json.dumps(STYLES[style](frame)))
    return path


def content_type(style):
    return "text/csv" if style == "csv" else "application/json"


def difference(model, rows, raw):
    """How the predictions in the answer `raw` differ from MLflow's own; an empty text when they do not.

    To 1e-6 relative: XGBoost answers in float32, and its text has fewer digits.
    """
    wanted = np.load(DATA / f"{model}.expect.npy")[:rows]
    try:
        document = json.loads(raw)
        got = np.asarray(document["predictions"], dtype=np.float64).ravel()
    except (ValueError, KeyError, TypeError) as error:
        return f"the answer can't be read: {type(error).__name__} {raw[:120]!r}"
    if got.shape == wanted.shape and np.allclose(got, wanted, rtol=1e-6, atol=1e-9):
        return ""
    return f"{got[:3]} instead of {wanted[:3]}, shape {got.shape}"
