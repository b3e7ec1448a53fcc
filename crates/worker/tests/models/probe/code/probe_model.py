"""A model that gives back what it gets, or misbehaves as the first value of a column `do` tells it to."""

import os
import re
import subprocess
import sys

import numpy as np
import pandas as pd


def _load_pyfunc(path):
    return Probe()


class Probe:
    def predict(self, data):
        if isinstance(data, pd.DataFrame) and "do" in data.columns:
            action, _, argument = data["do"].iloc[0].partition(":")
            return getattr(self, "do_" + action)(data, argument)
        if isinstance(data, np.ndarray):
            data *= 1  # Raises where the array may not be written to.
        return data

    def do_echo(self, data, argument):
        return data

    def do_types(self, data, argument):
        return [str(dtype) for dtype in data.dtypes]

    def do_write(self, data, argument):
        data.iloc[0, 1] = 3.0
        data.loc[:, "y"] = 4.0
        return data[["x", "y"]]

    def do_mixed(self, data, argument):
        return pd.DataFrame({"t": ["é", ""], "x": [float("nan"), 1.0], "n": [1, 2], "b": [True, False]})

    def do_missing_text(self, data, argument):
        return pd.DataFrame({"t": pd.Series(["a", None], dtype=object), "n": [1, 2]})

    def do_twice_named(self, data, argument):
        return pd.DataFrame([[1, 2]], columns=["a", "a"])

    def do_series(self, data, argument):
        return data["x"]

    def do_numbered(self, data, argument):
        return pd.DataFrame(np.zeros((1, 2), dtype="float32"))

    def do_big_endian(self, data, argument):
        return np.array([1, 2], dtype=">i4")

    def do_text(self, data, argument):
        return "plain é"

    def do_pid(self, data, argument):
        return np.array([os.getpid()])

    def do_raise(self, data, argument):
        raise ValueError("refused \udcff é")

    def do_refuse(self, data, argument):
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST

        raise MlflowException("no such row", error_code=RESOURCE_DOES_NOT_EXIST)

    def do_system_exit(self, data, argument):
        sys.exit(3)

    def do_set(self, data, argument):
        return {1, 2}

    def do_large(self, data, argument):
        return np.zeros(int(argument), dtype="int8")

    def do_noise(self, data, argument):
        os.write(1, b"SLW1" + bytes(range(256)) * 1000)
        os.write(2, b"\n" * 1000 + b"x" * 100000)
        print("no newline at the end", end="")
        return 1

    def do_exit(self, data, argument):
        os._exit(7)

    def do_spin(self, data, argument):
        """Keeps the interpreter's lock for good, with a child beside it; both hold the pipe at `argument` open."""
        with open(argument, "w") as pipe:
            pipe.write("started\n")
            pipe.flush()
            subprocess.Popen(["sleep", "600"], stdout=pipe)
            re.match(r"(a+)+$", "a" * 64 + "b")
