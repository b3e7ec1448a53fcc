"""Other methods than a model's own function, asked as the worker asks them: probabilities and margins of boosting libraries."""

import importlib.util

import numpy as np

from case import Case, holes, labels, numbers
from sluis_exporter.walk import METHODS
from sluis_worker import methods


def all_cases():
    for package, make in (("xgboost", xgboosts), ("lightgbm", lightgbms)):
        if importlib.util.find_spec(package) is None:
            continue
        for name, model, frame, loader in make():
            functions = methods.of(model, loader)
            wanted = [method for method in METHODS if method in functions]
            assert {"predict", "margin", "raw_score"} <= set(wanted), wanted
            for method in wanted:
                yield Case("method_{}_{}".format(name, method), model, frame, method, ask=functions[method])


def xgboosts():
    import xgboost

    frame, score, random = numbers(16, 400)
    sparse = holes(frame, random)
    small = {"n_estimators": 12, "max_depth": 4, "n_jobs": 1}
    loader = "mlflow.xgboost"
    yield "xgb_gamma", xgboost.XGBRegressor(objective="reg:gamma", **small).fit(sparse, np.exp(score / 9)), sparse, loader
    early = xgboost.XGBClassifier(n_estimators=200, learning_rate=0.5, early_stopping_rounds=2, n_jobs=1)
    early.fit(frame[:200], labels(score)[:200], eval_set=[(frame[200:], labels(score)[200:])], verbose=False)
    yield "xgb_early", early, frame, loader
    for classes in (2, 4):
        yield "xgb_{}".format(classes), xgboost.XGBClassifier(**small).fit(sparse, labels(score, classes)), sparse, loader
    for objective, classes in (("multi:softprob", 3), ("multi:softmax", 3), ("binary:logistic", 2), ("binary:hinge", 2)):
        options = {"objective": objective, "nthread": 1}
        if classes > 2:
            options["num_class"] = classes
        booster = xgboost.train(options, xgboost.DMatrix(sparse, labels(score, classes)), 8)
        yield "booster_" + objective.replace(":", "_"), booster, sparse, loader


def lightgbms():
    import lightgbm

    frame, score, random = numbers(18, 500)
    sparse = holes(frame, random)
    small = {"n_estimators": 15, "num_leaves": 15, "verbose": -1, "n_jobs": 1}
    loader = "mlflow.lightgbm"
    yield "lgb_poisson", lightgbm.LGBMRegressor(objective="poisson", **small).fit(sparse, np.exp(score / 9)), sparse, loader
    forest = lightgbm.LGBMClassifier(boosting_type="rf", bagging_freq=1, bagging_fraction=0.7, **small)
    yield "lgb_rf", forest.fit(frame, labels(score)), frame, loader
    for classes in (2, 3):
        yield "lgb_{}".format(classes), lightgbm.LGBMClassifier(**small).fit(sparse, labels(score, classes, True)), sparse, loader
    for objective, classes in (("binary", 2), ("multiclass", 3), ("multiclassova", 3), ("regression", 2)):
        options = {"objective": objective, "verbose": -1, "num_threads": 1}
        if objective.startswith("multiclass"):
            options["num_class"] = classes
        booster = lightgbm.train(options, lightgbm.Dataset(sparse, labels(score, classes)), 8)
        yield "lgb_booster_" + objective, booster, sparse, loader
