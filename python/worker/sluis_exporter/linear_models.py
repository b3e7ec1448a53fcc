"""Linear models of scikit-learn as steps."""

import numpy as np

from .errors import NotCovered
from .transformers import linear
from .walk import estimates

REGRESSORS = (
    "LinearRegression Ridge RidgeCV Lasso LassoCV ElasticNet ElasticNetCV SGDRegressor LinearSVR HuberRegressor Lars LarsCV "
    "LassoLars LassoLarsCV LassoLarsIC BayesianRidge ARDRegression OrthogonalMatchingPursuit TheilSenRegressor "
    "PassiveAggressiveRegressor QuantileRegressor MultiTaskLasso MultiTaskElasticNet"
).split()
CLASSIFIERS = (
    "LogisticRegression LogisticRegressionCV SGDClassifier LinearSVC RidgeClassifier RidgeClassifierCV Perceptron "
    "PassiveAggressiveClassifier LinearDiscriminantAnalysis"
).split()
LOG_LINK = ("PoissonRegressor", "GammaRegressor")


def scores(builder, model, source):
    """The linear part."""
    value = builder.check(builder.numbers(source), "finite")
    return linear(builder, value, model.coef_, model.intercept_)


@estimates("sklearn", *REGRESSORS)
def _regressor(builder, model, source, form):
    if form != "values":
        return None
    made = scores(builder, model, source)
    made.vector = np.ndim(model.coef_) == 1 or type(model).__name__ in ("SGDRegressor", "LinearSVR")
    return made


@estimates("sklearn", "TweedieRegressor", *LOG_LINK)
def _generalised(builder, model, source, form):
    if form != "values":
        return None
    made = scores(builder, model, source)
    link = "log" if type(model).__name__ in LOG_LINK else model.link
    if link == "auto":
        link = "identity" if model.power <= 0 else "log"
    made = builder.step("exp", [made], 1) if link == "log" else made
    made.vector = True
    return made


@estimates("sklearn", *CLASSIFIERS)
def _classifier(builder, model, source, form):
    if np.ndim(model.classes_) != 1:
        raise NotCovered("{} of several labels has no native form".format(type(model).__name__))
    made = scores(builder, model, source)
    if form == "decision":
        return made
    if form == "labels":
        if made.width == 1:
            return builder.step("is_above", [made], 1, threshold=0.0, equal=False)
        return builder.step("argmax", [made], 1)
    name = type(model).__name__
    if form != "proba" or name not in ("LogisticRegression", "LogisticRegressionCV", "SGDClassifier", "LinearDiscriminantAnalysis"):
        return None
    if name == "SGDClassifier" and model.loss not in ("log_loss", "log"):
        raise NotCovered("probabilities of SGDClassifier with the loss '{}' have no native form".format(model.loss))
    if getattr(model, "multi_class", "deprecated") not in ("auto", "deprecated", "multinomial", "ovr"):
        return None
    builder.ulps = max(builder.ulps, 64)
    if made.width > 1:
        if name == "SGDClassifier" or getattr(model, "multi_class", None) == "ovr" or getattr(model, "solver", "") == "liblinear":
            made = builder.step("sigmoid", [made], made.width)
            return builder.step("share", [made], made.width, none=_share_of_nothing(made.width))
        return builder.step("softmax", [made], made.width)
    if getattr(model, "multi_class", None) == "multinomial":
        return None
    return builder.step("complement", [builder.step("sigmoid", [made], 1)], 2)


def _share_of_nothing(classes):
    """What this version makes of probabilities that are all zero: equal ones, or none."""
    from sklearn.linear_model import SGDClassifier

    probe = SGDClassifier(loss="log_loss").fit(np.arange(3.0).reshape(-1, 1), [0, 1, 2])
    probe.coef_, probe.intercept_ = np.zeros((3, 1)), np.full(3, -1e4)
    with np.errstate(all="ignore"):
        share = probe.predict_proba([[0.0]])[0, 0]
    return None if share != share else 1 / classes
