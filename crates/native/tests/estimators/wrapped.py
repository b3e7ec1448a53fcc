"""What is fitted of estimators that ask another one, and of encoders and probabilities with few options: see `cases.py`."""

import numpy as np
from sklearn import discriminant_analysis, dummy, ensemble, feature_selection, kernel_ridge, linear_model, model_selection, tree
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import IncrementalPCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PowerTransformer, QuantileTransformer, StandardScaler, TargetEncoder

from case import Case, holes, labels, mixed, numbers
from families import BOTH, each


def all_cases():
    for make in (searched, thresholds, dummies, ridges, encoded, probabilities, selected, powers, quantiles):
        yield from make()


def searched():
    frame, score, _ = numbers(1, 250, 4)
    pipe = make_pipeline(StandardScaler(), linear_model.Ridge())
    search = model_selection.GridSearchCV(pipe, {"ridge__alpha": [0.1, 10.0]}, cv=2).fit(frame, score)
    yield Case("search_grid", search, frame)
    forest = ensemble.RandomForestClassifier(6, random_state=0)
    search = model_selection.RandomizedSearchCV(forest, {"max_depth": [2, 5]}, n_iter=2, cv=2, random_state=0)
    yield from each("search_random", search.fit(frame, labels(score, 3, True)), frame)
    inside = make_pipeline(StandardScaler(), model_selection.GridSearchCV(linear_model.LogisticRegression(), {"C": [0.1, 1.0]}, cv=2))
    yield from each("search_inside", inside.fit(frame, labels(score, 2, True)), frame, BOTH + ("decision_function",))
    yield Case("ransac", linear_model.RANSACRegressor(random_state=0).fit(frame, score), frame)


def thresholds():
    frame, score, _ = numbers(2, 300, 4)
    y = labels(score, 2, True)
    for index, member in enumerate((linear_model.LogisticRegression(), tree.DecisionTreeClassifier(max_depth=4))):
        fixed = model_selection.FixedThresholdClassifier(member, threshold=0.3).fit(frame, y)
        yield from each("threshold_fixed_{}".format(index), fixed, frame)
        numbered = (y == "no").astype(int)
        tuned = model_selection.TunedThresholdClassifierCV(member, cv=3).fit(frame, numbered)
        yield from each("threshold_tuned_{}".format(index), tuned, frame)


def dummies():
    frame, score, _ = mixed(3)
    for strategy in ("mean", "median"):
        yield Case("dummy_" + strategy, dummy.DummyRegressor(strategy=strategy).fit(frame, score), frame)
    for strategy in ("prior", "most_frequent"):
        yield from each("dummy_" + strategy, dummy.DummyClassifier(strategy=strategy).fit(frame, labels(score, 3, True)), frame)
    chance = dummy.DummyClassifier(strategy="uniform").fit(frame, labels(score))
    yield Case("dummy_chance", chance, frame, refused="by chance has no native form")


def ridges():
    frame, score, _ = numbers(4, 120, 3)
    for kernel in ("linear", "poly", "polynomial", "rbf", "sigmoid"):
        model = kernel_ridge.KernelRidge(kernel=kernel, alpha=0.5, degree=2).fit(frame / 3, score)
        yield Case("kernel_ridge_" + kernel, model, frame / 3)
    two = kernel_ridge.KernelRidge(kernel="rbf", gamma=0.2).fit(frame, np.c_[score, -score])
    yield Case("kernel_ridge_two", two, frame)


def encoded():
    for seed in range(2):
        frame, score, random = mixed(seed)
        frame["shop"] = random.randint(0, 9, len(frame)).astype("float64")
        data = frame.drop(columns="income")
        prepare = ColumnTransformer([("t", TargetEncoder(random_state=0), ["city", "plan", "shop"])], remainder="passthrough")
        yield Case("target_{}".format(seed), make_pipeline(prepare, linear_model.Ridge()).fit(data, score), data)
        for classes in (2, 3):
            model = make_pipeline(prepare, ensemble.RandomForestClassifier(9, random_state=0)).fit(data, labels(score, classes, True))
            yield Case("target_{}_{}".format(classes, seed), model, data, "predict_proba")


def probabilities():
    frame, score, _ = numbers(5, 300, 4)
    for classes in (2, 3):
        y = labels(score, classes, True)
        yield from each("sgd_{}".format(classes), linear_model.SGDClassifier(loss="log_loss", random_state=0).fit(frame, y), frame)
        model = discriminant_analysis.LinearDiscriminantAnalysis().fit(frame, y)
        yield from each("lda_{}".format(classes), model, frame, BOTH + ("decision_function",))


def selected():
    frame, score, random = numbers(6, 300, 5)
    last = linear_model.LinearRegression()
    steps = [
        feature_selection.SelectFpr(feature_selection.f_regression),
        feature_selection.GenericUnivariateSelect(feature_selection.f_regression, mode="k_best", param=2),
        feature_selection.SequentialFeatureSelector(linear_model.Ridge(), n_features_to_select=2, cv=2),
        IncrementalPCA(3),
    ]
    for step in steps:
        yield Case("selected_" + type(step).__name__, make_pipeline(step, last).fit(frame, score), frame)
    yield Case("tree_of_holes", tree.DecisionTreeRegressor(max_depth=4).fit(holes(frame, random), score), holes(frame, random))


def powers():
    for seed in range(2):
        frame, score, random = numbers(seed, 300, 4)
        skewed = np.exp(frame / 4) - (0.5 if seed else 0.0)
        for name, data, step in (
            ("yeo", frame, PowerTransformer()),
            ("yeo_skewed", skewed, PowerTransformer(standardize=False)),
            ("box_cox", skewed - skewed.min() + 0.1, PowerTransformer("box-cox")),
        ):
            yield Case("power_{}_{}".format(name, seed), make_pipeline(step, linear_model.Ridge()).fit(data, score), data)
            forest = ensemble.RandomForestRegressor(8, max_depth=6, random_state=0)
            yield Case("power_{}_forest_{}".format(name, seed), make_pipeline(step, forest).fit(data, score), data)
    odd = holes(frame, random)
    last = ensemble.HistGradientBoostingRegressor(max_iter=8)
    yield Case("power_holes", make_pipeline(PowerTransformer(), last).fit(odd, score), odd)


def quantiles():
    for seed in range(2):
        frame, score, random = numbers(seed, 300, 4)
        frame["x3"] = np.maximum(frame["x3"], 0.0)
        frame["x2"] = frame["x2"].round()
        frame["x1"] = np.minimum(frame["x1"], 1.0) if seed else 7.0
        step = QuantileTransformer(n_quantiles=40, random_state=0)
        yield Case("quantiles_{}".format(seed), make_pipeline(step, linear_model.Ridge()).fit(frame, score), frame)
        forest = ensemble.RandomForestRegressor(8, max_depth=6, random_state=0)
        yield Case("quantiles_forest_{}".format(seed), make_pipeline(step, forest).fit(frame, score), frame)
    normal = make_pipeline(QuantileTransformer(n_quantiles=40, output_distribution="normal"), linear_model.Ridge())
    yield Case("quantiles_normal", normal.fit(frame, score), frame, refused="QuantileTransformer to normal distributions")
