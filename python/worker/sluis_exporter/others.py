"""Estimators that are built from others, and a few of one formula."""

import numpy as np

from . import functions
from .errors import NotCovered
from .transformers import linear
from .walk import estimate, estimates, is_classifier, unwrap, within


@estimates("sklearn", "Pipeline")
def _pipeline(builder, pipeline, source, form):
    source, (place, last) = unwrap(builder, pipeline, source)
    with within(place):
        return estimate(builder, last, source, form)


def _parts(builder, names, members, sources, form):
    made = []
    for name, member, source in zip(names, members, sources):
        with within("estimator '{}'".format(name)):
            made.append(estimate(builder, member, source, form))
    return made


def _mean(builder, parts, weights=None):
    """Added up in their order, then divided: as numpy and sum() have it."""
    total = len(parts)
    if weights is not None:
        parts = [builder.each(part, "multiply", [weight]) for part, weight in zip(parts, weights)]
        total = np.sum(weights)
    made = builder.step("sum", parts, parts[0].width)
    return builder.each(made, "divide", [total])


def _voters(model):
    """Names and weights of the members that vote."""
    kept = [number for number, (_, member) in enumerate(model.estimators) if not (isinstance(member, str) and member == "drop")]
    names = [model.estimators[number][0] for number in kept]
    return names, None if model.weights is None else [float(model.weights[number]) for number in kept]


@estimates("sklearn", "VotingRegressor")
def _voting_regressor(builder, model, source, form):
    if form != "values":
        return None
    names, weights = _voters(model)
    parts = _parts(builder, names, model.estimators_, [source] * len(names), "values")
    # numpy adds rows of eight and more in another order.
    if len(parts) >= 8:
        builder.ulps = max(builder.ulps, 16)
    return _mean(builder, parts, weights)


@estimates("sklearn", "VotingClassifier")
def _voting_classifier(builder, model, source, form):
    if form not in ("labels", "proba") or form == "proba" and model.voting == "hard":
        return None
    names, weights = _voters(model)
    sources, classes = [source] * len(names), len(model.classes_)
    if model.voting == "soft":
        made = _mean(builder, _parts(builder, names, model.estimators_, sources, "proba"), weights)
        return builder.step("argmax", [made], 1) if form == "labels" else made
    votes = []
    for number, part in enumerate(_parts(builder, names, model.estimators_, sources, "labels")):
        # Members know the classes by their numbers.
        ballots = np.eye(classes)[np.asarray(model.estimators_[number].classes_, dtype=int)]
        ballots = ballots * (1.0 if weights is None else weights[number])
        votes.append(builder.step("table", [part], classes, values=builder.arrays.add(ballots, "float64")))
    return builder.step("argmax", [builder.step("sum", votes, classes)], 1)


@estimates("sklearn", "BaggingRegressor", "BaggingClassifier")
def _bagging(builder, model, source, form):
    regressor = type(model).__name__ == "BaggingRegressor"
    if form != "values" and regressor or form not in ("values", "labels", "proba"):
        return None
    value = builder.numbers(source)
    every = list(range(value.width))
    sources = [builder.pick(value, chosen) if list(chosen) != every else value for chosen in model.estimators_features_]
    if not regressor and any(len(member.classes_) != len(model.classes_) for member in model.estimators_):
        raise NotCovered("BaggingClassifier whose members know fewer classes has no native form")
    inner = "values" if regressor else "proba"
    parts = _parts(builder, range(len(sources)), model.estimators_, sources, inner)
    made = _mean(builder, parts)
    return builder.step("argmax", [made], 1) if form == "labels" else made


@estimates("sklearn", "StackingRegressor", "StackingClassifier")
def _stacking(builder, model, source, form):
    names = [name for name, member in model.estimators if member != "drop"]
    forms = {"predict_proba": "proba", "decision_function": "decision", "predict": "values"}
    parts = []
    for name, member, method in zip(names, model.estimators_, model.stack_method_):
        if method == "predict" and is_classifier(member):
            raise NotCovered("estimator '{}': stacked labels have no native form".format(name))
        (part,) = _parts(builder, [name], [member], [source], forms[method])
        # Of two classes, one share says all.
        two = method == "predict_proba" and part.width == 2
        parts.append(builder.pick(part, [1]) if two else part)
    if model.passthrough:
        parts.append(builder.numbers(source))
    with within("final estimator"):
        return estimate(builder, model.final_estimator_, builder.concat(parts), form)


@estimates("sklearn", "TransformedTargetRegressor")
def _transformed_target(builder, model, source, form):
    made = estimate(builder, model.regressor_, source, form)
    transformer = model.transformer_
    name = type(transformer).__name__
    if name == "StandardScaler" and form == "values":
        made = builder.each(made, "multiply", transformer.scale_) if transformer.with_std else made
        made = builder.each(made, "add", transformer.mean_) if transformer.with_mean else made
    elif name == "FunctionTransformer" and functions.name_of(transformer.inverse_func) and not transformer.inv_kw_args:
        made = functions.apply(builder, made, functions.name_of(transformer.inverse_func))
    elif not (name == "FunctionTransformer" and transformer.inverse_func is None):
        raise NotCovered("TransformedTargetRegressor with {} has no native form".format(name))
    made.vector = made.width == 1
    return made


@estimates("sklearn", "KMeans", "MiniBatchKMeans")
def _k_means(builder, model, source, form):
    if form != "values":
        return None
    centers = np.asarray(model.cluster_centers_, dtype=np.float64)
    value = builder.check(builder.numbers(source), "finite")
    if value.single:
        raise NotCovered("{} in single precision has no native form".format(type(model).__name__))
    # The nearest center is that of the largest x c - c c / 2.
    made = linear(builder, value, centers, -0.5 * (centers * centers).sum(axis=1))
    made = builder.step("argmax", [made], 1)
    made.labels = np.arange(len(centers), dtype=np.int32)
    return made


@estimates("sklearn", "MLPRegressor", "MLPClassifier")
def _perceptrons(builder, model, source, form):
    if form not in ("values", "labels", "proba"):
        return None
    value = builder.check(builder.numbers(source), "finite")
    last = len(model.coefs_) - 1
    for layer, (weights, intercepts) in enumerate(zip(model.coefs_, model.intercepts_)):
        value = linear(builder, value, np.asarray(weights).T, intercepts)
        value = _activation(builder, value, model.activation if layer < last else model.out_activation_)
    # Every layer moves last bits on to the next.
    builder.ulps = max(builder.ulps, 512)
    if form == "values":
        return value
    if value.width == 1:
        if form == "labels":
            return builder.step("is_above", [value], 1, threshold=0.5, equal=False)
        return builder.step("complement", [value], 2)
    if len(model.classes_) != value.width or model.out_activation_ != "softmax":
        raise NotCovered("MLPClassifier of several labels has no native form")
    return builder.step("argmax", [value], 1) if form == "labels" else value


def _activation(builder, value, name):
    if name == "identity":
        return value
    if name == "relu":
        return builder.each(value, "at_least", [0.0])
    steps = {"logistic": "sigmoid", "tanh": "tanh", "softmax": "softmax"}
    if name not in steps:
        raise NotCovered("the activation '{}' has no native form".format(name))
    return builder.step(steps[name], [value], value.width)

