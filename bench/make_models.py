#!/usr/bin/env python3
"""Train and save the benchmark models as MLflow models, with signature and input example.

    make_models.py OUT [NAME,NAME]

For every model NAME it writes
    OUT/models/NAME/           the MLflow model folder
    OUT/data/NAME.parquet      10 000 rows that requests are made of
    OUT/data/NAME.expect.npy   what mlflow.pyfunc predicts for these rows, to check answers with
A model that is there already is left alone.
"""

import shutil
import sys
import warnings
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, make_classification, make_regression
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

ROWS = 10_000
TREE_COLUMNS = [f"f{i}" for i in range(30)]


class Echo(mlflow.pyfunc.PythonModel):
    """Returns its first column: everything measured around it is the server."""

    def predict(self, context, model_input, params=None):
        return model_input["f0"].to_numpy()


def linear(out):
    """StandardScaler and LinearRegression on the diabetes data: ten doubles."""
    features, target = load_diabetes(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(features, target)
    save(out, "linear", mlflow.sklearn.save_model, features, model.predict, sk_model=model)


def rf(out):
    """A forest of 100 trees of depth 10 on 30 doubles, one thread."""
    features, target = make_classification(20_000, 30, n_informative=18, n_redundant=4, random_state=3)
    features = pd.DataFrame(features, columns=TREE_COLUMNS)
    model = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=0).fit(features, target)
    trusted = ["sklearn.tree._tree.Tree"]  # MLflow's default format wants this said
    save(out, "rf", mlflow.sklearn.save_model, features, model.predict, sk_model=model, skops_trusted_types=trusted)


def xgb(out):
    """XGBoost: 300 trees of depth 6, all cores."""
    import xgboost

    features, target = regression_rows()
    model = xgboost.XGBRegressor(n_estimators=300, max_depth=6, learning_rate=0.05, tree_method="hist")
    model.fit(features, target)
    save(out, "xgb", mlflow.xgboost.save_model, features, model.predict, xgb_model=model)


def lgbm(out):
    """LightGBM: 300 trees of 31 leaves."""
    import lightgbm

    features, target = regression_rows()
    model = lightgbm.LGBMRegressor(n_estimators=300, num_leaves=31, verbose=-1).fit(features, target)
    save(out, "lgbm", mlflow.lightgbm.save_model, features, model.predict, lgb_model=model)


def mixed(out):
    """Strings one-hot encoded, numbers scaled, a logistic regression: what many tables look like."""
    rng, count = np.random.default_rng(7), 20_000
    features = pd.DataFrame({
        "age": rng.integers(18, 90, count).astype("int64"),
        "income": rng.lognormal(10, 0.7, count),
        "balance": rng.normal(0, 1e4, count),
        "score": rng.uniform(300, 850, count),
        "city": rng.choice([f"city_{i:02d}" for i in range(40)], count),
        "job": rng.choice(["engineer", "teacher", "nurse", "driver", "clerk", "none"], count),
        "plan": rng.choice(["free", "basic", "pro"], count),
    })
    target = ((features.score > 600) & (features.plan != "free") | (features.age > 60)).astype("int64")
    columns = ColumnTransformer([("strings", OneHotEncoder(handle_unknown="ignore"), ["city", "job", "plan"]),
                                 ("numbers", StandardScaler(), ["age", "income", "balance", "score"])])
    model = Pipeline([("columns", columns), ("classifier", LogisticRegression(max_iter=500))]).fit(features, target)
    save(out, "mixed", mlflow.sklearn.save_model, features, model.predict, sk_model=model)


def echo(out):
    """A pyfunc that does nothing."""
    features, _ = regression_rows()
    save(out, "echo", mlflow.pyfunc.save_model, features, lambda frame: frame["f0"], python_model=Echo())


def regression_rows():
    features, target = make_regression(20_000, 30, n_informative=20, noise=5.0, random_state=4)
    return pd.DataFrame(features, columns=TREE_COLUMNS), target


def save(out, name, save_model, features, predict, **options):
    """Saves the model, the rows requests are made of (drawn from `features`) and the expected answers."""
    folder = out / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    rows = features.sample(ROWS, replace=len(features) < ROWS, random_state=1).reset_index(drop=True)
    signature = infer_signature(features.head(50), predict(features.head(50)))
    save_model(path=str(folder), signature=signature, input_example=features.head(3), **options)
    expected = pd.DataFrame(mlflow.pyfunc.load_model(str(folder)).predict(rows)).iloc[:, 0]
    rows.to_parquet(out / "data" / f"{name}.parquet", index=False)
    np.save(out / "data" / f"{name}.expect.npy", expected.to_numpy(np.float64))  # last: its presence means complete
    print(f"made model {name}: {rows.shape[1]} columns")


MODELS = {make.__name__: make for make in (linear, rf, xgb, lgbm, mixed, echo)}


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    warnings.filterwarnings("ignore")
    out = Path(sys.argv[1])
    for folder in ("models", "data"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2].split(",") if len(sys.argv) > 2 else MODELS:
        if name not in MODELS:
            sys.exit(f"error: no model '{name}'; there are {', '.join(MODELS)}")
        if not (out / "data" / f"{name}.expect.npy").exists():
            MODELS[name](out)


if __name__ == "__main__":
    main()
