"""Decision trees, forests and gradient boosting of scikit-learn as steps."""

import warnings

import numpy as np

from .errors import NotCovered
from .multiclass import several_labels
from .trees import DEFAULT_LEFT, NAN_IS_MISSING, Ensemble
from .walk import estimates


def _version():
    import sklearn

    return tuple(int(part) for part in sklearn.__version__.split(".")[:2])


def single_precision(builder, model, source):
    """The source as trees of scikit-learn take it: float32, and NaN only where the model takes it."""
    value = builder.numbers(source)
    return builder.check(value, "single_or_nan" if _takes_nan(model) else "single")


def _takes_nan(model):
    row = np.zeros((1, int(model.n_features_in_)))
    row[0, 0] = np.nan
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # The model was fitted with names, this row has none.
            model.predict(row)
    except Exception:
        return False
    return True


def add_tree(ensemble, tree, values, target=0, columns=None):
    """One tree of scikit-learn; `values` by node. `columns` are those that the tree was grown on."""
    left, right = np.asarray(tree.children_left), np.asarray(tree.children_right)
    leaves = np.flatnonzero(left == -1)
    flags = np.full(len(left), NAN_IS_MISSING, dtype=np.uint8)
    toward_left = getattr(tree, "missing_go_to_left", None)
    if toward_left is not None:
        flags |= np.where(np.asarray(toward_left) != 0, DEFAULT_LEFT, 0).astype(np.uint8)
    feature = np.asarray(tree.feature)
    if columns is not None:
        feature = np.asarray(columns)[np.where(left == -1, 0, feature)]
    ensemble.tree(feature, tree.threshold, left, right, flags, leaves, np.asarray(values)[leaves], target)


def _shares(tree):
    """By node and output, the share of each class, as predict_proba of a tree gives it."""
    values = np.asarray(tree.value)
    if _version() >= (1, 3):
        return values
    normalizer = values.sum(axis=2)[:, :, np.newaxis]
    normalizer[normalizer == 0.0] = 1.0
    return values / normalizer


def _classes(model, form):
    """By output, how many classes it has."""
    if model.n_outputs_ == 1:
        return [len(model.classes_)]
    if form != "labels":
        raise NotCovered("probabilities of several outputs have no native form")
    return [len(classes) for classes in model.classes_]


def _flat(values, classes):
    """By node, the numbers of all outputs side by side."""
    return np.concatenate([values[:, output, :count] for output, count in enumerate(classes)], axis=1)


def _chosen(builder, model, made, classes):
    """The most likely class of each output."""
    ends = np.cumsum(classes)
    parts = [builder.pick(made, range(end - count, end)) for end, count in zip(ends, classes)]
    parts = [builder.step("argmax", [part], 1) for part in parts]
    return parts[0] if model.n_outputs_ == 1 else several_labels(builder, parts, model.classes_)


@estimates("sklearn", "DecisionTreeRegressor", "ExtraTreeRegressor")
def _tree_regressor(builder, model, source, form):
    if form != "values":
        return None
    span = int(model.n_outputs_)
    ensemble = Ensemble(span, "le", "float32", "float64")
    add_tree(ensemble, model.tree_, np.asarray(model.tree_.value)[:, :, 0])
    return ensemble.step(builder, single_precision(builder, model, source), span, 0.0)


@estimates("sklearn", "DecisionTreeClassifier", "ExtraTreeClassifier")
def _tree_classifier(builder, model, source, form):
    if form == "decision":
        return None
    classes = _classes(model, form)
    ensemble = Ensemble(sum(classes), "le", "float32", "float64")
    shares = np.asarray(model.tree_.value) if form == "labels" else _shares(model.tree_)
    add_tree(ensemble, model.tree_, _flat(shares, classes))
    made = ensemble.step(builder, single_precision(builder, model, source), sum(classes), 0.0)
    return _chosen(builder, model, made, classes) if form == "labels" else made


@estimates("sklearn", "RandomForestRegressor", "ExtraTreesRegressor")
def _forest_regressor(builder, model, source, form):
    if form != "values":
        return None
    span = int(model.n_outputs_)
    ensemble = Ensemble(span, "le", "float32", "float64")
    for one in model.estimators_:
        add_tree(ensemble, one.tree_, np.asarray(one.tree_.value)[:, :, 0])
    value = single_precision(builder, model, source)
    return ensemble.step(builder, value, span, 0.0, divisor=len(model.estimators_))


@estimates("sklearn", "RandomForestClassifier", "ExtraTreesClassifier")
def _forest_classifier(builder, model, source, form):
    if form == "decision":
        return None
    classes = _classes(model, form)
    ensemble = Ensemble(sum(classes), "le", "float32", "float64")
    for one in model.estimators_:
        add_tree(ensemble, one.tree_, _flat(_shares(one.tree_), classes))
    value = single_precision(builder, model, source)
    made = ensemble.step(builder, value, sum(classes), 0.0, divisor=len(model.estimators_))
    return _chosen(builder, model, made, classes) if form == "labels" else made


@estimates("sklearn", "GradientBoostingRegressor", "GradientBoostingClassifier")
def _boosting(builder, model, source, form):
    grown = np.asarray(model.estimators_)
    ensemble = Ensemble(1, "le", "float32", "float64")
    for stage in grown:
        for target, one in enumerate(stage):
            add_tree(ensemble, one.tree_, model.learning_rate * np.asarray(one.tree_.value)[:, 0, 0], target)
    outputs = grown.shape[1]
    made = ensemble.step(builder, single_precision(builder, model, source), outputs, _start(model, outputs))
    if type(model).__name__ == "GradientBoostingRegressor":
        return made if form == "values" else None
    if form == "decision":
        return made
    if form == "labels":
        if outputs == 1:
            return builder.step("is_above", [made], 1, threshold=0.0, equal=True)
        return builder.step("argmax", [made], 1)
    if model.loss not in ("log_loss", "deviance"):
        return None
    builder.ulps = max(builder.ulps, 64)
    if outputs == 1:
        return builder.step("complement", [builder.step("sigmoid", [made], 1)], 2)
    return builder.step("softmax", [made], outputs)


def _start(model, outputs):
    """What the first prediction is, before any tree. The proof decides whether this is the library's own."""
    if isinstance(model.init_, str) and model.init_ == "zero":
        return 0.0
    if type(model.init_).__name__ not in ("DummyRegressor", "DummyClassifier"):
        raise NotCovered("{} that begins with a model has no native form".format(type(model).__name__))
    row = np.zeros((1, int(model.n_features_in_)), dtype=np.float32)
    if type(model).__name__ == "GradientBoostingRegressor":
        return np.asarray(model.init_.predict(row), dtype=np.float64).reshape(-1)[0]
    from scipy.special import logit

    shares = np.asarray(model.init_.predict_proba(row))
    # Versions differ in where they cut shares off, which shows only where a class is nearly alone.
    eps = np.finfo(np.float32 if _version() < (1, 6) else np.float64).eps
    shares = np.clip(shares, eps, 1 - eps, dtype=np.float64)
    if model.loss == "exponential":
        return 0.5 * logit(shares[0, 1])
    if outputs == 1:
        return logit(shares[0, 1])
    logs = np.log(shares[0])
    return np.log(shares[0] / np.exp(np.mean(logs))) if _version() >= (1, 4) else logs
