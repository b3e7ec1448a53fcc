"""Models of catboost, where the Python of the tests has it."""

import importlib.util
import os
import tempfile

import numpy as np

from case import Case, holes, labels, mixed, numbers
from sluis_worker import methods


def catboosts():
    """Cases of catboost; none where it is not installed."""
    if importlib.util.find_spec("catboost") is None:
        print("catboost is not installed: its cases are left out")
        return
    for make in (values, classes, margins, refused):
        for case in make():
            yield _loaded(case)


def _loaded(case):
    """The case with the model as MLflow loads it: from its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.cb")
        case.model.save_model(path)
        case.model = type(case.model)().load_model(path)
    case.ask = methods.of(case.model, "mlflow.catboost")[case.method]
    return case


SMALL = {"iterations": 15, "depth": 4, "verbose": 0, "thread_count": 1, "allow_writing_files": False}


def values():
    import catboost

    frame, score, random = numbers(11, 500)
    sparse = holes(frame, random)
    positive = np.exp(score / 9)
    for loss in "RMSE MAE Quantile:alpha=0.7 Huber:delta=1.0 MAPE LogCosh Expectile:alpha=0.3 Lq:q=3".split():
        model = catboost.CatBoostRegressor(loss_function=loss, **SMALL).fit(frame, score)
        yield Case("cat_" + loss.split(":")[0], model, frame)
    for loss in ("Poisson", "Tweedie:variance_power=1.5"):
        model = catboost.CatBoostRegressor(loss_function=loss, **SMALL).fit(sparse, positive)
        yield Case("cat_" + loss.split(":")[0], model, sparse)
    for mode in ("Min", "Max"):
        model = catboost.CatBoostRegressor(nan_mode=mode, **SMALL).fit(sparse, score)
        yield Case("cat_missing_" + mode, model, sparse)
    for policy in ("Depthwise", "Lossguide"):
        model = catboost.CatBoostRegressor(grow_policy=policy, **SMALL).fit(sparse, score)
        yield Case("cat_" + policy, model, sparse)
    several = catboost.CatBoostRegressor(loss_function="MultiQuantile:alpha=0.1,0.5,0.9", **SMALL).fit(frame, score)
    yield Case("cat_quantiles", several, frame)
    long = catboost.CatBoostRegressor(**dict(SMALL, iterations=300, depth=6)).fit(frame, score)
    yield Case("cat_long", long, frame)
    for dtype in ("float32", "int64", "int32", "bool"):
        data, target, _ = numbers(12)
        data = data > 0 if dtype == "bool" else data.astype(dtype)
        yield Case("cat_of_" + dtype, catboost.CatBoostRegressor(**SMALL).fit(data, target), data)
    plain = catboost.CatBoost(dict(SMALL, loss_function="Poisson")).fit(frame, positive)
    yield Case("cat_plain", plain, frame)
    scaled = catboost.CatBoostRegressor(**SMALL).fit(frame, positive)
    scaled.set_scale_and_bias(0.7, 1.25)
    yield Case("cat_scaled", scaled, frame)
    constant = catboost.CatBoostRegressor(**dict(SMALL, depth=1, iterations=1)).fit(frame, score)
    yield Case("cat_stump", constant, frame)
    ranked = catboost.CatBoostRanker(loss_function="YetiRank", **SMALL)
    ranked.fit(frame, labels(score, 3), group_id=np.arange(len(frame)) // 10)
    yield Case("cat_ranker", ranked, frame)


def classes():
    import catboost

    frame, score, random = numbers(13, 500)
    sparse = holes(frame, random)
    for count in (2, 3):
        for names in (False, True):
            model = catboost.CatBoostClassifier(**SMALL).fit(sparse, labels(score, count, names))
            for method in ("predict", "predict_proba"):
                yield Case("cat_{}_{}_{}".format(method, count, names), model, sparse, method)
    for tag, target in (("bool", score > 0), ("double", np.where(score > 0, 1.5, 0.5))):
        yield Case("cat_class_" + tag, catboost.CatBoostClassifier(**SMALL).fit(frame, target), frame)
    each = catboost.CatBoostClassifier(loss_function="MultiClassOneVsAll", **SMALL).fit(frame, labels(score, 4))
    yield Case("cat_one_vs_all", each, frame)
    careful = catboost.CatBoostClassifier(**SMALL).fit(frame, labels(score))
    careful.set_probability_threshold(0.8)
    yield Case("cat_threshold", careful, frame)


def margins():
    import catboost

    frame, score, random = numbers(17, 500)
    sparse = holes(frame, random)
    models = {"poisson": catboost.CatBoostRegressor(loss_function="Poisson", **SMALL).fit(sparse, np.exp(score / 9))}
    models["quantiles"] = catboost.CatBoostRegressor(loss_function="MultiQuantile:alpha=0.1,0.9", **SMALL).fit(sparse, score)
    models["plain"] = catboost.CatBoost(dict(SMALL, loss_function="Tweedie:variance_power=1.5")).fit(sparse, np.exp(score / 9))
    for count in (2, 3):
        models[str(count)] = catboost.CatBoostClassifier(**SMALL).fit(sparse, labels(score, count, True))
    models["threshold"] = catboost.CatBoostClassifier(**SMALL).fit(sparse, labels(score))
    models["threshold"].set_probability_threshold(0.3)
    for name, model in models.items():
        for method in ("margin", "raw_score"):
            yield Case("cat_{}_{}".format(method, name), model, sparse, method, ask=model.predict)


def refused():
    import catboost

    frame, score, _ = mixed(14)
    model = catboost.CatBoostRegressor(cat_features=["city", "plan"], **SMALL).fit(frame, score)
    yield Case("cat_categories", model, frame, refused="catboost's categorical features have no native form")
    figures, score, _ = numbers(15)
    model = catboost.CatBoostRegressor(loss_function="RMSEWithUncertainty", **SMALL).fit(figures, score)
    yield Case("cat_uncertainty", model, figures, refused="catboost's loss 'RMSEWithUncertainty' has no native form")
