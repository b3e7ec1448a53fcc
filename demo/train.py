#!/usr/bin/env python3
"""Train the model that `sluis demo` serves and save it as diabetes/ beside this file.

    python demo/train.py

Needs the packages of diabetes/requirements.txt (Python 3.11). The result is committed, so nobody has to run this; it
says where the model comes from, and makes it again for another version of MLflow.
"""

import shutil
import sys
from pathlib import Path

import mlflow.sklearn
from mlflow.models import infer_signature
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDER = Path(__file__).resolve().parent / "diabetes"

# What the model is loaded and scored with, each at one exact version. Why `mlflow-skinny`: see README.md.
REQUIREMENTS = ["mlflow-skinny==3.17.2", "numpy==2.4.6", "pandas==3.1.1", "scikit-learn==1.9.1", "skops==0.16.0"]


def main():
    features, target = load_diabetes(return_X_y=True, as_frame=True)
    train_x, test_x, train_y, test_y = train_test_split(features, target, test_size=0.2, random_state=7)
    model = make_pipeline(StandardScaler(), Ridge(alpha=1.0)).fit(train_x, train_y)
    score = r2_score(test_y, model.predict(test_x))

    shutil.rmtree(FOLDER, ignore_errors=True)
    mlflow.sklearn.save_model(
        model,
        str(FOLDER),
        signature=infer_signature(train_x, model.predict(train_x)),
        input_example=test_x.head(2),
        pip_requirements=REQUIREMENTS,
        metadata={"data": "scikit-learn load_diabetes", "r2_on_test_rows": round(float(score), 3)},
    )
    size = sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file())
    print(f"{FOLDER.name}: {size} bytes, r2 {score:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
