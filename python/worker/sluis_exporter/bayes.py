"""Naive Bayes of scikit-learn as steps."""

import numpy as np

from .errors import NotCovered
from .transformers import linear
from .walk import estimates


def _answer(builder, made, form):
    if form == "labels":
        return builder.step("argmax", [made], 1)
    builder.at_least_ulps(64)
    return builder.step("softmax", [made], made.width)


@estimates("sklearn", "GaussianNB")
def _gaussian(builder, model, source, form):
    if form not in ("labels", "proba"):
        return None
    value = builder.check(builder.numbers(source), "finite")
    if value.single:
        raise NotCovered("GaussianNB in single precision has no native form")
    means, variances = np.asarray(model.theta_), np.asarray(model.var_)
    spread = np.sqrt(variances)
    builder.turns_among(value, np.concatenate([means, means - 2 * spread, means + 2 * spread]))
    with np.errstate(divide="ignore"):
        priors = np.log(model.class_prior_)
    scales = np.asarray([-0.5 * np.sum(np.log(2.0 * np.pi * row)) for row in variances])
    builder.at_least_ulps(max(64, value.width // 16))
    numbers = {"means": means, "variances": variances, "priors": priors, "scales": scales}
    numbers = {name: builder.arrays.add(array, "float64") for name, array in numbers.items()}
    return _answer(builder, builder.step("gaussian", [value], len(priors), **numbers), form)


@estimates("sklearn", "BernoulliNB", "MultinomialNB", "ComplementNB")
def _counts(builder, model, source, form):
    if form not in ("labels", "proba"):
        return None
    value = builder.check(builder.numbers(source), "finite")
    name, weights = type(model).__name__, np.asarray(model.feature_log_prob_)
    if value.single and not (name == "BernoulliNB" and model.binarize is not None):
        raise NotCovered("{} in single precision has no native form".format(name))
    priors = np.asarray(model.class_log_prior_)
    if name == "BernoulliNB":
        if model.binarize is not None:
            builder.turns_at(value, range(value.width), [model.binarize] * value.width)
            value = builder.beside(value, [[model.binarize]] * value.width)
            value = builder.step("above", [value], value.width, threshold=float(model.binarize))
        absent = np.log(1 - np.exp(weights))
        weights, priors = weights - absent, priors + absent.sum(axis=1)
    elif name == "ComplementNB" and len(model.classes_) > 1:
        priors = np.zeros(len(priors))
    return _answer(builder, linear(builder, value, weights, priors), form)
