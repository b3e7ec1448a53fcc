"""What is fitted of support vectors, neighbours, likelihoods, weighted ensembles and several classes: see `cases.py`."""

import numpy as np
from sklearn import ensemble, linear_model, naive_bayes, neighbors, svm, tree
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import Binarizer, FunctionTransformer, KBinsDiscretizer, OneHotEncoder, StandardScaler

from case import Case, holes, labels, mixed, numbers

BOTH = ("predict", "predict_proba")


def all_cases():
    for make in (isolation, boosted, machines, likelihoods, nearest, calibrated, several_classes, voted, several_outputs):
        yield from make()
    for make in (categories, functions, refusals):
        yield from make()


def each(name, model, frame, methods=BOTH, **options):
    for method in methods:
        yield Case("{}_{}".format(name, method), model, frame, method, **options)


def isolation():
    for seed, dtype in enumerate(("float64", "float32", "int64")):
        frame, _, random = numbers(seed, 350, 4, dtype)
        for index, options in enumerate(({}, {"contamination": 0.1}, {"max_features": 0.5, "bootstrap": True})):
            model = ensemble.IsolationForest(n_estimators=25, random_state=seed, max_samples=90, **options).fit(frame)
            methods = ("predict", "decision_function", "score_samples")
            yield from each("isolation_{}_{}".format(dtype, index), model, frame, methods, seed=seed)
    one = frame[["x0"]].astype("float64")
    yield Case("isolation_one_column", ensemble.IsolationForest(n_estimators=12, random_state=0).fit(one), one)


def boosted():
    for seed in range(2):
        frame, score, _ = numbers(seed, 350, 4, "float32" if seed else "float64")
        for classes in (2, 4):
            y = labels(score, classes, seed == 1)
            model = ensemble.AdaBoostClassifier(n_estimators=15, random_state=seed).fit(frame, y)
            yield from each("ada_{}_{}".format(classes, seed), model, frame, BOTH + ("decision_function",))
            deep = tree.DecisionTreeClassifier(max_depth=3)
            model = ensemble.AdaBoostClassifier(deep, n_estimators=6, learning_rate=0.5, random_state=seed).fit(frame, y)
            yield from each("ada_deep_{}_{}".format(classes, seed), model, frame, BOTH)
        for loss in ("linear", "square", "exponential"):
            model = ensemble.AdaBoostRegressor(n_estimators=12, loss=loss, random_state=seed).fit(frame, score)
            yield Case("ada_{}_{}".format(loss, seed), model, frame)
    frame, score, _ = numbers(5, 200)
    of_lines = ensemble.AdaBoostRegressor(linear_model.Ridge(), n_estimators=6, random_state=0).fit(frame, score)
    yield Case("ada_of_lines", of_lines, frame)
    # Older versions begin with an algorithm that has a native form over trees alone.
    options = {"algorithm": "SAMME"} if getattr(ensemble.AdaBoostClassifier(), "algorithm", "") == "SAMME.R" else {}
    own = ensemble.AdaBoostClassifier(linear_model.LogisticRegression(), n_estimators=5, random_state=0, **options)
    yield from each("ada_of_logistic", own.fit(frame, labels(score, 3)), frame, BOTH)


def machines():
    for seed, dtype in enumerate(("float64", "float32", "int64")):
        frame, score, _ = numbers(seed, 160, 4, dtype)
        if dtype != "int64":
            frame = (frame / 3).astype(dtype)
        for kernel in ("linear", "poly", "rbf", "sigmoid"):
            options = {"kernel": kernel, "degree": 2, "coef0": 0.5} if seed else {"kernel": kernel}
            if kernel == "linear" and dtype == "int64":
                options["C"] = 0.01
            tag = "_{}_{}".format(kernel, dtype)
            yield Case("SVR" + tag, svm.SVR(**options).fit(frame, score), frame, seed=seed)
            for classes in (2, 4):
                model = svm.SVC(random_state=0, **options).fit(frame, labels(score, classes, seed == 1))
                yield from each("SVC_{}{}".format(classes, tag), model, frame, ("predict", "decision_function"), seed=seed)
    frame, score, _ = numbers(4, 160, 3)
    frame = frame / 3
    for classes in (2, 3):
        y = labels(score, classes, True)
        yield from each("NuSVC_{}".format(classes), svm.NuSVC(nu=0.3).fit(frame, y), frame, ("predict", "decision_function"))
        sure = svm.SVC(probability=True, random_state=0).fit(frame, y)
        yield from each("SVC_sure_{}".format(classes), sure, frame, BOTH)
    pairs = svm.SVC(decision_function_shape="ovo", gamma="auto").fit(frame, labels(score, 4))
    yield from each("SVC_pairs", pairs, frame, ("predict", "decision_function"))
    yield Case("SVC_ties", svm.SVC(break_ties=True, gamma=0.2).fit(frame, labels(score, 4)), frame)
    yield Case("NuSVR", svm.NuSVR(C=5.0).fit(frame, score), frame)
    once = svm.OneClassSVM(nu=0.2).fit(frame)
    yield from each("OneClassSVM", once, frame, ("predict", "decision_function", "score_samples"))
    large = frame * 50 + 300
    yield Case("SVC_scaled", make_pipeline(StandardScaler(), svm.SVC()).fit(large, labels(score, 3)), large)


def likelihoods():
    for seed in range(2):
        frame, score, _ = numbers(seed, 300, 3 + 10 * seed)
        for classes in (2, 3):
            y = labels(score, classes, seed == 1)
            yield from each("GaussianNB_{}_{}".format(classes, seed), naive_bayes.GaussianNB().fit(frame, y), frame)
            bits = naive_bayes.BernoulliNB(binarize=0.3).fit(frame, y)
            yield from each("BernoulliNB_{}_{}".format(classes, seed), bits, frame)
            counts = frame.abs().round().astype("int64")
            for name in ("MultinomialNB", "ComplementNB"):
                model = getattr(naive_bayes, name)().fit(counts, y)
                yield from each("{}_{}_{}".format(name, classes, seed), model, counts)
    integers = frame.round().astype("int64")
    yield from each("GaussianNB_int64", naive_bayes.GaussianNB(var_smoothing=1e-3).fit(integers, labels(score, 3)), integers)


def nearest():
    for seed in range(2):
        frame, score, _ = numbers(seed, 200, 3)
        for algorithm in ("auto", "brute", "ball_tree"):
            for index, options in enumerate(({}, {"weights": "distance"}, {"p": 1, "n_neighbors": 3}, {"metric": "chebyshev"})):
                options = dict(options, algorithm=algorithm)
                tag = "_{}_{}_{}".format(algorithm, index, seed)
                yield Case("KNR" + tag, neighbors.KNeighborsRegressor(**options).fit(frame, score), frame, seed=seed)
                model = neighbors.KNeighborsClassifier(**options).fit(frame, labels(score, 2 + seed, seed == 1))
                yield from each("KNC" + tag, model, frame, seed=seed)
    two = neighbors.KNeighborsRegressor(4).fit(frame, np.c_[score, -score])
    yield Case("KNR_two_targets", two, frame)
    single = frame.astype("float32")
    yield Case("KNC_single", neighbors.KNeighborsClassifier().fit(frame, labels(score)), single)
    wide, score, _ = numbers(3, 120, 20)
    yield Case("KNC_wide", neighbors.KNeighborsClassifier().fit(wide, labels(score, 3)), wide)
    for shrink in (None, 0.2):
        for metric in ("euclidean", "manhattan"):
            y = labels(score, 3, True)
            model = neighbors.NearestCentroid(metric=metric, shrink_threshold=shrink).fit(wide, y)
            yield Case("centroid_{}_{}".format(metric, shrink), model, wide)


def calibrated():
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.isotonic import IsotonicRegression

    frame, score, random = numbers(2, 400, 4)
    noisy = score + random.randn(len(score)) * 3
    for classes in (2, 3):
        y = labels(noisy, classes, classes == 3)
        for index, member in enumerate((linear_model.LogisticRegression(), tree.DecisionTreeClassifier(max_depth=4), svm.LinearSVC())):
            for method in ("sigmoid", "isotonic"):
                model = CalibratedClassifierCV(member, method=method, cv=3).fit(frame, y)
                yield from each("calibrated_{}_{}_{}".format(method, index, classes), model, frame)
        forest = ensemble.RandomForestClassifier(8, random_state=0).fit(frame[:200], y[:200])
        yield from each("calibrated_prefit_{}".format(classes), prefit(forest).fit(frame[200:], y[200:]), frame)
        alone = CalibratedClassifierCV(naive_bayes.GaussianNB(), ensemble=False).fit(frame, y)
        yield from each("calibrated_alone_{}".format(classes), alone, frame)
    one = frame[["x0"]]
    yield Case("isotonic", IsotonicRegression(out_of_bounds="clip").fit(one, score), one)


def prefit(model):
    from sklearn.calibration import CalibratedClassifierCV

    try:
        from sklearn.frozen import FrozenEstimator
    except ImportError:
        return CalibratedClassifierCV(model, cv="prefit")
    return CalibratedClassifierCV(FrozenEstimator(model))


def several_classes():
    from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier

    frame, score, _ = numbers(3, 300, 4)
    members = (linear_model.LogisticRegression(), tree.DecisionTreeClassifier(max_depth=4), svm.LinearSVC())
    for classes in (2, 4):
        y = labels(score, classes, True)
        for index, member in enumerate(members):
            tag = "_{}_{}".format(index, classes)
            model = OneVsRestClassifier(member).fit(frame, y)
            methods = ["predict"] + [method for method in ("predict_proba", "decision_function") if hasattr(model, method)]
            yield from each("one_vs_rest" + tag, model, frame, methods)
            yield from each("one_vs_one" + tag, OneVsOneClassifier(member).fit(frame, y), frame, ("predict", "decision_function"))
    full = OneVsRestClassifier(tree.DecisionTreeClassifier()).fit(frame, y)
    yield from each("one_vs_rest_full", full, frame)


def voted():
    frame, score, _ = numbers(4, 300, 4)
    members = [
        ("l", linear_model.LogisticRegression()),
        ("t", tree.DecisionTreeClassifier(max_depth=4)),
        ("n", naive_bayes.GaussianNB()),
    ]
    for classes in (2, 3):
        y = labels(score, classes, True)
        for weights in (None, [1, 2.5, 1]):
            tag = "_{}_{}".format(classes, "weights" if weights else "plain")
            hard = ensemble.VotingClassifier(members, weights=weights).fit(frame, y)
            yield Case("vote_hard" + tag, hard, frame)
            soft = ensemble.VotingClassifier(members, voting="soft", weights=weights).fit(frame, y)
            yield from each("vote_soft" + tag, soft, frame)
    members = [("r", linear_model.Ridge()), ("gone", "drop"), ("t", tree.DecisionTreeRegressor(max_depth=4))]
    yield Case("vote_weights", ensemble.VotingRegressor(members, weights=[0.3, 1, 0.7]).fit(frame, score), frame)
    union = FeatureUnion([("a", StandardScaler()), ("b", "passthrough")], transformer_weights={"a": 3.5})
    yield Case("union_weights", make_pipeline(union, linear_model.Ridge()).fit(frame, score), frame)
    yield Case("union_weights_tree", make_pipeline(union, tree.DecisionTreeRegressor()).fit(frame, score), frame)


def several_outputs():
    from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor

    frame, score, _ = numbers(5, 300, 4)
    both = np.c_[score, score ** 2]
    for index, member in enumerate((linear_model.Ridge(), ensemble.GradientBoostingRegressor(n_estimators=10))):
        yield Case("outputs_{}".format(index), MultiOutputRegressor(member).fit(frame, both), frame)
    for names in (False, True):
        y = np.c_[labels(score, 3, names), labels(score ** 2, 2, names)]
        yield Case("labels_{}".format(names), MultiOutputClassifier(linear_model.LogisticRegression()).fit(frame, y), frame)
        yield Case("tree_labels_{}".format(names), tree.DecisionTreeClassifier(max_depth=5).fit(frame, y), frame)
        for name in ("RandomForestClassifier", "ExtraTreesClassifier"):
            yield Case("{}_labels_{}".format(name, names), getattr(ensemble, name)(8, random_state=0).fit(frame, y), frame)


def categories():
    for seed in range(2):
        frame, score, random = mixed(seed)
        frame["shop"] = random.randint(0, 30, len(frame)).astype("float64")
        frame.loc[random.rand(len(frame)) < 0.1, "shop"] = np.nan
        score = score + np.isin(frame["shop"], [3, 7, 21]) * 4
        options = {"max_iter": 12, "random_state": seed, "categorical_features": ["city", "plan", "shop"]}
        model = ensemble.HistGradientBoostingRegressor(**options).fit(frame, score)
        yield Case("hist_texts_{}".format(seed), model, frame, seed=seed)
        figures = frame[["age", "income", "shop"]].astype("float64")
        options["categorical_features"] = [2]
        for classes in (2, 3):
            model = ensemble.HistGradientBoostingClassifier(**options).fit(figures, labels(score, classes, True))
            yield from each("hist_numbers_{}_{}".format(classes, seed), model, figures, BOTH + ("decision_function",), seed=seed)
    shops = frame[["shop"]]
    options["categorical_features"] = [True]
    yield Case("hist_only", ensemble.HistGradientBoostingRegressor(**options).fit(shops, score), shops)
    behind = make_pipeline(StandardScaler(), ensemble.HistGradientBoostingRegressor(max_iter=5, categorical_features=[2]))
    rounded = figures.round(-1)
    yield Case("hist_behind", behind.fit(rounded, score), rounded)


def functions():
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor

    frame, score, _ = numbers(6, 300, 3)
    positive = np.abs(frame) + 0.5
    for name in "log log1p log2 log10 exp expm1 exp2 sqrt cbrt absolute square negative reciprocal sin cos tanh floor ceil rint".split():
        data = positive if "log" in name or name in ("sqrt", "reciprocal") else frame
        step = FunctionTransformer(getattr(np, name))
        yield Case("function_" + name, make_pipeline(step, linear_model.Ridge()).fit(data, score), data)
        yield Case("function_tree_" + name, make_pipeline(step, tree.DecisionTreeRegressor(max_depth=5)).fit(data, score), data)
    whole = (positive * 5).round().astype("int64")
    yield Case("function_int64", make_pipeline(FunctionTransformer(np.log1p), linear_model.Ridge()).fit(whole, score), whole)
    behind = make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), ensemble.HistGradientBoostingRegressor(max_iter=9))
    yield Case("function_hist", behind.fit(positive, score), positive)
    for step in (Binarizer(threshold=1.0), KBinsDiscretizer(4, encode="onehot-dense"), naive_bayes.BernoulliNB(binarize=1.2)):
        last = [] if hasattr(step, "predict") else [linear_model.LogisticRegression()]
        behind = make_pipeline(FunctionTransformer(np.log1p), step, *last).fit(positive, labels(score))
        yield Case("function_before_" + type(step).__name__, behind, positive)
    forest = make_pipeline(FunctionTransformer(np.log), ensemble.RandomForestClassifier(20, random_state=0))
    yield Case("function_forest", forest.fit(positive, labels(score, 3)), positive, "predict_proba")
    checked = FunctionTransformer(np.sqrt, inverse_func=np.square, validate=True)
    yield Case("function_checked", make_pipeline(checked, StandardScaler(), linear_model.Ridge()).fit(positive, score), positive)
    frame, score, _ = mixed(7)
    prepare = ColumnTransformer(
        [
            ("log", make_pipeline(FunctionTransformer(np.log1p), StandardScaler()), ["age", "income"]),
            ("text", OneHotEncoder(handle_unknown="ignore"), ["city", "plan"]),
        ]
    )
    yield Case("function_columns", make_pipeline(prepare, linear_model.Ridge()).fit(frame, score), frame)
    data, score, _ = numbers(8, 200, 3)
    for func, inverse in ((np.log1p, np.expm1), (np.sqrt, np.square)):
        model = TransformedTargetRegressor(linear_model.Ridge(), func=func, inverse_func=inverse).fit(data, np.exp(score / 9))
        yield Case("target_" + func.__name__, model, data)


def refusals():
    from sklearn.multiclass import OneVsRestClassifier

    frame, score, random = numbers(9, 100, 3)
    y = labels(score, 3)
    yield Case("own_kernel", svm.SVR(kernel=own_kernel).fit(frame, score), frame, refused="a kernel of one's own")
    unsure = svm.SVC().fit(frame, y)
    yield Case("unsure", unsure, frame, "predict_proba", ask=unsure.predict, refused="without probabilities")
    far = neighbors.KNeighborsClassifier(p=3).fit(frame, y)
    yield Case("far", far, frame, refused="KNeighborsClassifier with the distance 'minkowski'")
    crowd = np.random.RandomState(0).rand(100001, 10)
    crowd = neighbors.KNeighborsRegressor(algorithm="brute").fit(crowd, crowd[:, 0])
    yield Case("crowd", crowd, frame, refused="of more than 1000000 numbers")
    many = OneVsRestClassifier(linear_model.LogisticRegression()).fit(frame, np.c_[score > 0, frame["x0"] > 0].astype(int))
    yield Case("many", many, frame, refused="OneVsRestClassifier of several labels")
    bits = make_pipeline(FunctionTransformer(np.square), linear_model.Ridge()).fit(frame.round().astype("int64"), score)
    yield Case("squares", bits, frame.round().astype("int64"), refused="'square' of columns of these types")
    odd = holes(frame, random)
    yield Case("trees_know_holes", tree.DecisionTreeClassifier().fit(odd, y), odd)


def own_kernel(a, b):
    return a @ b.T
