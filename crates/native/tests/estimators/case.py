"""A case, and the data that cases are made of."""

import numpy as np
import pandas as pd


class Case:
    """A fitted estimator and the frame that it was fitted on."""

    def __init__(self, name, model, frame, method="predict", seed=0, rows=1500, ask=None, refused=None):
        self.name, self.model, self.frame, self.method = name, model, frame, method
        self.seed, self.rows, self.refused = seed, rows, refused
        self.ask = ask or getattr(model, method)


def numbers(seed, rows=300, columns=5, dtype="float64"):
    random = np.random.RandomState(seed)
    frame = pd.DataFrame(random.randn(rows, columns) * 3, columns=["x{}".format(i) for i in range(columns)])
    score = frame["x0"] * 2 - frame["x1"] + np.sin(frame["x2"]) + random.randn(rows) * 0.1
    return frame.astype(dtype), score.to_numpy(), random


def labels(score, classes=2, names=False):
    cut = np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]))
    return np.array(["no", "yes \u00e9", "may\"be", "z"])[cut] if names else cut


def mixed(seed, rows=400):
    random = np.random.RandomState(seed)
    frame = pd.DataFrame(
        {
            "age": random.randint(18, 90, rows).astype("int64"),
            "income": random.lognormal(3, 0.7, rows),
            "city": random.choice(["ams", "\u00f6rebro", "c c", ""], rows),
            "plan": random.choice(["free", "pro", "rare1", "rare2"], rows, p=[0.6, 0.36, 0.02, 0.02]),
            "flag": random.rand(rows) < 0.5,
        }
    )
    frame["city"], frame["plan"] = frame["city"].astype("str"), frame["plan"].astype("str")
    score = frame["age"] / 20 + np.log(frame["income"]) + (frame["plan"] == "pro") * 2 - (frame["city"] == "ams")
    return frame, score.to_numpy(), random


def holes(frame, random, share=0.1):
    frame = frame.copy()
    frame[random.rand(*frame.shape) < share] = np.nan
    return frame
