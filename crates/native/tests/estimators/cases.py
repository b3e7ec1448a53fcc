"""What is fitted: estimators with data that reaches their options."""

import importlib.util

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

import families
import wrapped
from case import Case, holes, labels, mixed, numbers


def all_cases():
    for make in (linear, trees, boosting, steps, columns, others, refusals):
        yield from make()
    yield from families.all_cases()
    yield from wrapped.all_cases()
    # The second Python of the tests has scikit-learn alone.
    for package, make in (("xgboost", xgboosts), ("lightgbm", lightgbms)):
        if importlib.util.find_spec(package) is not None:
            yield from make()


def linear():
    from sklearn import linear_model, svm

    frame, score, _ = numbers(1)
    for name in "LinearRegression Ridge Lasso ElasticNet SGDRegressor BayesianRidge HuberRegressor Lars LassoLars".split():
        yield Case(name, getattr(linear_model, name)().fit(frame, score), frame)
    yield Case("LinearSVR", svm.LinearSVR().fit(frame, score), frame)
    yield Case("two_targets", linear_model.LinearRegression().fit(frame, np.c_[score, -score]), frame)
    yield Case("one_target_matrix", linear_model.Ridge().fit(frame, score.reshape(-1, 1)), frame)
    yield Case("no_intercept", linear_model.LinearRegression(fit_intercept=False).fit(frame, score), frame)
    for name in "PoissonRegressor GammaRegressor TweedieRegressor".split():
        yield Case(name, getattr(linear_model, name)().fit(frame, np.exp(score / 9)), frame)
    yield Case("Tweedie_power", linear_model.TweedieRegressor(power=1.5).fit(frame, np.exp(score / 9)), frame)
    for classes in (2, 3):
        for names in (False, True):
            y = labels(score, classes, names)
            tag = "_{}{}".format(classes, "_text" if names else "")
            logistic = linear_model.LogisticRegression().fit(frame, y)
            for method in ("predict", "predict_proba", "decision_function"):
                yield Case("LogisticRegression_{}{}".format(method, tag), logistic, frame, method)
            for name in "SGDClassifier RidgeClassifier Perceptron".split():
                yield Case(name + tag, getattr(linear_model, name)().fit(frame, y), frame)
            yield Case("LinearSVC" + tag, svm.LinearSVC().fit(frame, y), frame)
    wide, score, _ = numbers(2, 500, 200)
    yield Case("wide", linear_model.Ridge().fit(wide, score), wide, rows=1200)
    for dtype in ("int64", "int32", "float32", "bool"):
        frame, score, _ = numbers(3, dtype=dtype)
        if dtype == "float32":
            yield Case("single", linear_model.Ridge().fit(frame.astype("float64"), score), frame)
        else:
            yield Case("of_" + dtype, linear_model.Ridge().fit(frame, score), frame)


def trees():
    from sklearn import ensemble, tree

    for seed in range(3):
        for dtype in ("float64", "float32", "int64"):
            frame, score, random = numbers(seed, 400, 4, dtype)
            tag = "_{}_{}".format(seed, dtype)
            for name in ("DecisionTreeRegressor", "ExtraTreeRegressor"):
                yield Case(name + tag, getattr(tree, name)(random_state=seed).fit(frame, score), frame, seed=seed)
            for classes in (2, 4):
                y = labels(score, classes, seed == 1)
                model = tree.DecisionTreeClassifier(max_depth=6, random_state=seed).fit(frame, y)
                for method in ("predict", "predict_proba"):
                    yield Case("DecisionTree_{}_{}{}".format(method, classes, tag), model, frame, method, seed)
                for name in ("RandomForestClassifier", "ExtraTreesClassifier"):
                    forest = getattr(ensemble, name)(25, random_state=seed).fit(frame, y)
                    for method in ("predict", "predict_proba"):
                        yield Case("{}_{}_{}{}".format(name, method, classes, tag), forest, frame, method, seed)
            for name in ("RandomForestRegressor", "ExtraTreesRegressor"):
                yield Case(name + tag, getattr(ensemble, name)(20, random_state=seed).fit(frame, score), frame, seed=seed)
    frame, score, random = numbers(7)
    two = ensemble.RandomForestRegressor(10, random_state=0).fit(frame, np.c_[score, -score])
    yield Case("forest_two_targets", two, frame)
    sparse = holes(frame, random)
    for model in (tree.DecisionTreeRegressor(), ensemble.RandomForestRegressor(10), ensemble.RandomForestClassifier(10)):
        y = score if "Regressor" in type(model).__name__ else labels(score, 3)
        yield Case("missing_" + type(model).__name__, model.fit(sparse, y), sparse)
    yield Case("stump", tree.DecisionTreeRegressor(max_depth=1).fit(frame, score), frame)
    yield Case("only_root", tree.DecisionTreeRegressor().fit(frame, score * 0 + 3), frame)


def boosting():
    from sklearn import ensemble

    frame, score, random = numbers(4, 500)
    sparse = holes(frame, random)
    for seed in range(2):
        tag = "_{}".format(seed)
        yield Case("GradientBoostingRegressor" + tag, ensemble.GradientBoostingRegressor(random_state=seed).fit(frame, score), frame)
        yield Case("HistRegressor" + tag, ensemble.HistGradientBoostingRegressor(random_state=seed).fit(sparse, score), sparse)
        for classes in (2, 3):
            y = labels(score, classes, seed == 1)
            for name in ("GradientBoostingClassifier", "HistGradientBoostingClassifier"):
                data = sparse if "Hist" in name else frame
                options = {"max_iter": 20} if "Hist" in name else {"n_estimators": 20}
                model = getattr(ensemble, name)(random_state=seed, **options).fit(data, y)
                for method in ("predict", "predict_proba", "decision_function"):
                    yield Case("{}_{}_{}{}".format(name, method, classes, tag), model, data, method)
    options = {"n_estimators": 15}
    for loss in ("absolute_error", "huber", "quantile"):
        yield Case("GB_" + loss, ensemble.GradientBoostingRegressor(loss=loss, **options).fit(frame, score), frame)
    yield Case("GB_zero", ensemble.GradientBoostingRegressor(init="zero", **options).fit(frame, score), frame)
    rare = np.r_[np.zeros(len(frame) - 1), 1]
    yield Case("GB_rare", ensemble.GradientBoostingClassifier(**options).fit(frame, rare), frame, "decision_function")
    exponential = ensemble.GradientBoostingClassifier(loss="exponential", **options).fit(frame, labels(score))
    yield Case("GB_exponential", exponential, frame, "decision_function")
    yield Case("Hist_poisson", ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=20).fit(sparse, np.exp(score / 9)), sparse)


def steps():
    from sklearn.decomposition import PCA, TruncatedSVD
    from sklearn.feature_selection import SelectKBest, f_regression
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.tree import DecisionTreeRegressor

    frame, score, random = numbers(5)
    sparse = holes(frame, random)
    scalers = [
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        MinMaxScaler(),
        MinMaxScaler((-1, 2), clip=True),
        MaxAbsScaler(),
        RobustScaler(),
        RobustScaler(with_centering=False),
        Normalizer(),
        Normalizer("l1"),
        Normalizer("max"),
        Binarizer(threshold=0.5),
        PolynomialFeatures(3),
        PolynomialFeatures(2, interaction_only=True, include_bias=False),
        KBinsDiscretizer(4, encode="ordinal"),
        KBinsDiscretizer(3, encode="onehot", strategy="uniform"),
        KBinsDiscretizer(3, encode="onehot-dense", strategy="kmeans"),
        PCA(3),
        PCA(2, whiten=True),
        TruncatedSVD(3),
        SelectKBest(f_regression, k=2),
    ]
    for index, scaler in enumerate(scalers):
        name = "step_{}_{}".format(index, type(scaler).__name__)
        yield Case(name, make_pipeline(scaler, LinearRegression()).fit(frame, score), frame)
    # Behind trees every bit counts.
    for index, scaler in enumerate(scalers[:8]):
        for dtype in ("float64", "float32", "int64"):
            data = frame.astype(dtype)
            model = make_pipeline(scaler, DecisionTreeRegressor(random_state=0)).fit(data, score)
            yield Case("before_tree_{}_{}".format(index, dtype), model, data)
    for index, imputer in enumerate(
        [
            SimpleImputer(),
            SimpleImputer(strategy="median"),
            SimpleImputer(strategy="most_frequent"),
            SimpleImputer(strategy="constant", fill_value=7.5),
            SimpleImputer(add_indicator=True),
        ]
    ):
        data = sparse.copy()
        if index == 1:
            data["x3"] = np.nan
        yield Case("imputer_{}".format(index), make_pipeline(imputer, LinearRegression()).fit(data, score), data)
    integers = frame.round().astype("int64")
    replaced = make_pipeline(SimpleImputer(missing_values=-1, strategy="median"), LinearRegression()).fit(integers, score)
    yield Case("imputer_of_a_number", replaced, integers)
    union = FeatureUnion([("a", StandardScaler()), ("b", PCA(2)), ("c", "passthrough")])
    yield Case("union", make_pipeline(union, LogisticRegression()).fit(frame, labels(score, 3)), frame)
    nested = Pipeline([("p", Pipeline([("s", StandardScaler()), ("n", "passthrough")])), ("m", LinearRegression())])
    yield Case("nested", nested.fit(frame, score), frame)


def columns():
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge

    texts, figures = ["city", "plan"], ["age", "income", "flag"]
    encoders = [
        OneHotEncoder(handle_unknown="ignore"),
        OneHotEncoder(),
        OneHotEncoder(drop="first", handle_unknown="ignore"),
        OneHotEncoder(drop="if_binary", sparse_output=False),
        OneHotEncoder(min_frequency=0.1, handle_unknown="infrequent_if_exist"),
        OneHotEncoder(max_categories=3, handle_unknown="infrequent_if_exist", drop="first"),
        OrdinalEncoder(),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
        make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
    ]
    for seed in range(2):
        frame, score, _ = mixed(seed)
        for index, encoder in enumerate(encoders):
            prepare = ColumnTransformer([("texts", encoder, texts), ("figures", StandardScaler(), figures)])
            tag = "_{}_{}".format(index, seed)
            yield Case("mixed_linear" + tag, make_pipeline(prepare, Ridge()).fit(frame, score), frame)
            prepare = ColumnTransformer([("figures", "passthrough", [1, 0]), ("texts", encoder, texts)], sparse_threshold=0)
            y = labels(score, 3, True)
            model = make_pipeline(prepare, RandomForestClassifier(15, random_state=seed)).fit(frame, y)
            yield Case("mixed_forest" + tag, model, frame, "predict_proba" if seed else "predict")
    frame, score, _ = mixed(3)
    prepare = ColumnTransformer([("n", OneHotEncoder(handle_unknown="ignore"), ["age", "flag"])], remainder="drop")
    yield Case("one_hot_of_numbers", make_pipeline(prepare, Ridge()).fit(frame, score), frame)
    prepare = ColumnTransformer([("t", OneHotEncoder(), texts)], remainder="passthrough")
    yield Case("remainder", make_pipeline(prepare, Ridge()).fit(frame, score), frame)
    prepare = ColumnTransformer([("t", OrdinalEncoder(), texts), ("s", StandardScaler(), slice(0, 2))])
    yield Case("slice", make_pipeline(prepare, LogisticRegression()).fit(frame, labels(score)), frame)
    sparse_scaler = make_pipeline(OneHotEncoder(handle_unknown="ignore"), StandardScaler(with_mean=False))
    prepare = ColumnTransformer([("t", sparse_scaler, texts)])
    yield Case("scaled_sparse", make_pipeline(prepare, Ridge()).fit(frame, score), frame)
    prepare = ColumnTransformer([("t", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), texts)], remainder="passthrough")
    yield Case("ordinal_hist", make_pipeline(prepare, HistGradientBoostingRegressor(max_iter=20)).fit(frame, score), frame)


def others():
    from sklearn import cluster, compose, ensemble, linear_model, neural_network, tree

    frame, score, _ = numbers(10)
    for classes in (2, 3):
        y = labels(score, classes, classes == 3)
        members = [("l", linear_model.LogisticRegression()), ("t", tree.DecisionTreeClassifier(max_depth=4))]
        vote = ensemble.VotingClassifier(members, voting="soft").fit(frame, y)
        stack = ensemble.StackingClassifier(members).fit(frame, y)
        bag = ensemble.BaggingClassifier(n_estimators=12, random_state=0, max_features=0.6).fit(frame.to_numpy(), y)
        net = neural_network.MLPClassifier((9, 4), max_iter=80, random_state=0).fit(frame, y)
        for method in ("predict", "predict_proba"):
            tag = "_{}_{}".format(method, classes)
            yield Case("vote" + tag, vote, frame, method)
            yield Case("stack" + tag, stack, frame, method)
            yield Case("bag" + tag, bag, frame, method)
            yield Case("net" + tag, net, frame, method)
    members = [("r", linear_model.Ridge()), ("t", tree.DecisionTreeRegressor(max_depth=4)), ("f", ensemble.RandomForestRegressor(9))]
    yield Case("vote_regressor", ensemble.VotingRegressor(members).fit(frame, score), frame)
    yield Case("vote_trees", ensemble.VotingRegressor(members[1:]).fit(frame, score), frame)
    yield Case("stack_regressor", ensemble.StackingRegressor(members, passthrough=True).fit(frame, score), frame)
    yield Case("bag_regressor", ensemble.BaggingRegressor(n_estimators=7, random_state=0).fit(frame, score), frame)
    for activation in ("relu", "tanh", "logistic", "identity"):
        net = neural_network.MLPRegressor(hidden_layer_sizes=(8,), activation=activation, max_iter=60, random_state=0)
        yield Case("net_" + activation, net.fit(frame, score), frame)
    yield Case("k_means", cluster.KMeans(5, n_init=2, random_state=0).fit(frame), frame)
    from_scaled = compose.TransformedTargetRegressor(linear_model.Ridge(), transformer=StandardScaler())
    yield Case("scaled_target", from_scaled.fit(frame, score), frame)
    from_log = compose.TransformedTargetRegressor(linear_model.Ridge(), func=np.log, inverse_func=np.exp)
    yield Case("log_target", from_log.fit(frame, np.exp(score / 9)), frame)


def xgboosts():
    import xgboost

    frame, score, random = numbers(6, 400)
    sparse = holes(frame, random)
    positive = np.exp(score / 9)
    small = {"n_estimators": 12, "max_depth": 4, "n_jobs": 1}
    for objective in "reg:squarederror reg:pseudohubererror reg:absoluteerror count:poisson reg:gamma reg:tweedie reg:squaredlogerror".split():
        model = xgboost.XGBRegressor(objective=objective, **small).fit(sparse, positive)
        yield Case("xgb_" + objective.replace(":", "_"), model, sparse)
    for base in (0.5, 3.25):
        yield Case("xgb_base_{}".format(base), xgboost.XGBRegressor(base_score=base, **small).fit(frame, score), frame)
    yield Case("xgb_logistic", xgboost.XGBRegressor(objective="reg:logistic", **small).fit(frame, labels(score)), frame)
    for classes in (2, 4):
        model = xgboost.XGBClassifier(**small).fit(sparse, labels(score, classes))
        for method in ("predict", "predict_proba"):
            yield Case("xgb_{}_{}".format(method, classes), model, sparse, method)
    yield Case("xgb_dart", xgboost.XGBRegressor(booster="dart", rate_drop=0.3, **small).fit(frame, score), frame)
    yield Case("xgb_parallel", xgboost.XGBRegressor(num_parallel_tree=3, **small).fit(frame, score), frame)
    yield Case("xgb_forest", xgboost.XGBRFRegressor(**small).fit(frame, score), frame)
    early = xgboost.XGBRegressor(n_estimators=200, learning_rate=0.5, early_stopping_rounds=2, n_jobs=1)
    early.fit(frame[:200], score[:200], eval_set=[(frame[200:], score[200:])], verbose=False)
    yield Case("xgb_early", early, frame)
    for dtype in ("float32", "int64"):
        data = frame.astype(dtype)
        yield Case("xgb_" + dtype, xgboost.XGBRegressor(**small).fit(data, score), data)
    for objective, classes in (("multi:softprob", 3), ("multi:softmax", 3), ("binary:logistic", 2), ("binary:logitraw", 2), ("binary:hinge", 2)):
        options = {"objective": objective, "num_class": classes} if classes > 2 else {"objective": objective}
        booster = xgboost.train(dict(options, nthread=1), xgboost.DMatrix(sparse, labels(score, classes)), 8)
        ask = lambda data, booster=booster: booster.predict(xgboost.DMatrix(data))  # noqa: E731
        yield Case("booster_" + objective.replace(":", "_"), booster, sparse, ask=ask)


def lightgbms():
    import lightgbm

    frame, score, random = numbers(8, 500)
    sparse = holes(frame, random)
    zeros = frame.where(np.abs(frame) > 1.0, 0.0)
    positive = np.exp(score / 9)
    small = {"n_estimators": 15, "num_leaves": 15, "verbose": -1, "n_jobs": 1}
    for objective in "regression regression_l1 huber fair poisson quantile mape gamma tweedie".split():
        yield Case("lgb_" + objective, lightgbm.LGBMRegressor(objective=objective, **small).fit(sparse, positive), sparse)
    for name, options in (("zero", {"zero_as_missing": True}), ("never", {"use_missing": False})):
        for tag, data in (("zeros", zeros), ("holes", holes(zeros, random))):
            yield Case("lgb_{}_{}".format(name, tag), lightgbm.LGBMRegressor(**small, **options).fit(data, score), data)
    for classes in (2, 3):
        for names in (False, True):
            model = lightgbm.LGBMClassifier(**small).fit(sparse, labels(score, classes, names))
            for method in ("predict", "predict_proba"):
                yield Case("lgb_{}_{}_{}".format(method, classes, names), model, sparse, method)
    ova = lightgbm.LGBMClassifier(objective="multiclassova", **small).fit(sparse, labels(score, 3))
    yield Case("lgb_ova", ova, sparse, "predict_proba")
    forest = lightgbm.LGBMRegressor(boosting_type="rf", bagging_freq=1, bagging_fraction=0.7, **small).fit(frame, score)
    yield Case("lgb_rf", forest, frame)
    yield Case("lgb_dart", lightgbm.LGBMRegressor(boosting_type="dart", **small).fit(frame, score), frame)
    chosen = frame.copy()
    chosen["x3"] = random.randint(0, 40, len(frame)).astype(float)
    score_of = score + np.isin(chosen["x3"], [3, 7, 31, 38]) * 5
    data = lightgbm.Dataset(chosen, score_of, categorical_feature=["x3"])
    booster = lightgbm.train({"verbose": -1, "num_threads": 1, "min_data_per_group": 5}, data, 15)
    yield Case("lgb_categories", booster, chosen)
    constant = lightgbm.LGBMRegressor(**small).fit(frame, score * 0 + 2.5)
    yield Case("lgb_constant", constant, frame)
    early = lightgbm.LGBMRegressor(**dict(small, n_estimators=200, learning_rate=0.5))
    early.fit(frame[:250], score[:250], eval_set=[(frame[250:], score[250:])], callbacks=[lightgbm.early_stopping(2, verbose=False)])
    yield Case("lgb_early", early, frame)


def refusals():
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import FunctionTransformer

    frame, score, _ = mixed(9)
    words = ColumnTransformer([("words", TfidfVectorizer(), "city")])
    frame["city"] = frame["city"] + " place"
    model = Pipeline([("prep", words), ("ridge", Ridge())]).fit(frame, score)
    yield Case("text", model, frame, refused="step 'prep': transformer 'words': a single column as a series")
    figures, score, _ = numbers(9)
    model = Pipeline([("log", FunctionTransformer(lambda rows: rows)), ("ridge", Ridge())]).fit(figures, score)
    yield Case("function", model, figures, refused="step 'log': FunctionTransformer with a function")

    class Own(Ridge):
        """A class of one's own."""

    yield Case("own", Own().fit(figures, score), figures, refused="Own has no native form")
