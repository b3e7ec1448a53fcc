"""The methods of models that MLflow saved and loaded, against the libraries' own calls.

Needs an environment with MLflow and scikit-learn; what else it lacks (xgboost, lightgbm, catboost) is skipped.
"""

import importlib.util
import os
import tempfile
import unittest


#: What `save_model` calls the model.
MODEL = {"sklearn": "sk_model", "xgboost": "xgb_model", "lightgbm": "lgb_model", "catboost": "cb_model"}


def has(*packages):
    return all(importlib.util.find_spec(package) is not None for package in packages)


@unittest.skipUnless(has("mlflow", "sklearn", "pandas"), "needs mlflow and scikit-learn")
class Methods(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # MLflow would keep its records in the current folder.
        records = tempfile.TemporaryDirectory()
        cls.addClassCleanup(records.cleanup)
        os.environ["MLFLOW_TRACKING_URI"] = "file:" + records.name
        cls.addClassCleanup(os.environ.pop, "MLFLOW_TRACKING_URI", None)
        import numpy as np
        import pandas as pd

        random = np.random.default_rng(7)
        cls.rows = pd.DataFrame(random.normal(size=(60, 3)), columns=["a", "b", "c"])
        cls.two = (cls.rows["a"] + cls.rows["b"] > 0).astype(int).to_numpy()
        cls.three = np.digitize(cls.rows["a"], [-0.5, 0.5])
        cls.number = cls.rows["a"].to_numpy() * 2.0

    def loaded(self, flavor, model, **options):
        from sluis_worker import loader

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model")
            if model is not None:
                options[MODEL[flavor]] = model
            importlib.import_module("mlflow." + flavor).save_model(path=path, pip_requirements=["mlflow"], **options)
            return loader.load(path)

    def check(self, loaded, expected):
        """`expected`: what the library answers, by method, all of them and in the order of the list."""
        import numpy as np

        self.assertEqual(list(loaded.methods), list(expected))
        for name, answer in expected.items():
            with self.subTest(name):
                found = loaded.methods[name](self.rows)
                np.testing.assert_array_equal(np.asarray(found), np.asarray(answer))

    def test_sklearn_estimators_have_what_they_have(self):
        from sklearn.linear_model import LinearRegression, LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(self.rows, self.three)
        names = ("predict", "predict_proba", "predict_log_proba", "decision_function")
        self.check(self.loaded("sklearn", model), {name: getattr(model, name)(self.rows) for name in names})
        proba = self.loaded("sklearn", model, pyfunc_predict_fn="predict_proba")
        self.check(proba, {name: getattr(model, name)(self.rows) for name in names})
        self.assertEqual(proba.predict(self.rows, None).shape, (60, 3))
        line = LinearRegression().fit(self.rows, self.number)
        self.check(self.loaded("sklearn", line), {"predict": line.predict(self.rows)})

    def test_sparse_rows_are_answered_dense(self):
        import numpy as np
        from scipy.sparse import csr_matrix
        from sklearn.cluster import KMeans

        from sluis_worker import framing, protocol, scorer

        loaded = self.loaded("sklearn", KMeans(n_clusters=2, n_init=1).fit(self.rows))
        self.assertEqual(list(loaded.methods), ["predict", "transform"])
        loaded.methods["transform"] = lambda data: csr_matrix(data.to_numpy())
        head = framing.encode_head({"dtype": "float64", "shape": [2, 3], "as": "frame", "model_method": "transform"})
        body = bytearray(np.ascontiguousarray(self.rows.to_numpy()[:2]).tobytes())
        kind, answer, chunks = scorer.Scorer(loaded, ["a", "b", "c"], False).score(protocol.DENSE, head, body)
        self.assertEqual((kind, answer["shape"]), (protocol.DENSE_ANSWER, [2, 3]))

    @unittest.skipUnless(has("xgboost"), "needs xgboost")
    def test_xgboost(self):
        import numpy as np
        import xgboost

        rows, data = self.rows, xgboost.DMatrix(self.rows)
        model = xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(rows, self.two)
        margin = model.predict(rows, output_margin=True)
        expected = {"predict": model.predict(rows), "predict_proba": model.predict_proba(rows)}
        expected.update(margin=margin, raw_score=margin, apply=model.apply(rows))
        self.check(self.loaded("xgboost", model), expected)
        # The classifier's booster alone: what it answers are probabilities of the second class.
        booster, positive = model.get_booster(), model.predict_proba(rows)[:, 1]
        expected = {"predict": positive, "predict_proba": np.stack((1.0 - positive, positive), axis=1)}
        expected.update(margin=margin, raw_score=margin, pred_leaf=booster.predict(data, pred_leaf=True))
        expected.update(pred_contribs=booster.predict(data, pred_contribs=True))
        self.check(self.loaded("xgboost", booster), expected)
        multi = xgboost.XGBClassifier(n_estimators=3, max_depth=2).fit(rows, self.three)
        loaded = self.loaded("xgboost", multi.get_booster())
        np.testing.assert_array_equal(loaded.methods["predict_proba"](rows), multi.predict_proba(rows))
        number = xgboost.XGBRegressor(n_estimators=3, max_depth=2).fit(rows, self.number)
        self.assertEqual(list(self.loaded("xgboost", number).methods), ["predict", "margin", "raw_score", "apply"])
        self.assertNotIn("predict_proba", self.loaded("xgboost", number.get_booster()).methods)

    @unittest.skipUnless(has("lightgbm"), "needs lightgbm")
    def test_lightgbm(self):
        import numpy as np
        import lightgbm

        rows, settings = self.rows, {"n_estimators": 3, "min_child_samples": 2, "verbose": -1}
        for target in (self.two, self.three):
            model = lightgbm.LGBMClassifier(**settings).fit(rows, target)
            raw = model.predict(rows, raw_score=True)
            rest = {"margin": raw, "raw_score": raw, "pred_leaf": model.predict(rows, pred_leaf=True),
                    "pred_contrib": model.predict(rows, pred_contrib=True)}
            probabilities = model.predict_proba(rows)
            expected = {"predict": model.predict(rows), "predict_proba": probabilities}
            self.check(self.loaded("lightgbm", model), dict(expected, **rest))
            expected = {"predict": model.booster_.predict(rows), "predict_proba": probabilities}
            self.check(self.loaded("lightgbm", model.booster_), dict(expected, **rest))
        number = lightgbm.LGBMRegressor(**settings).fit(rows, self.number)
        names = ["predict", "margin", "raw_score", "pred_leaf", "pred_contrib"]
        self.assertEqual(list(self.loaded("lightgbm", number).methods), names)
        self.assertEqual(list(self.loaded("lightgbm", number.booster_).methods), names)

    @unittest.skipUnless(has("catboost"), "needs catboost")
    def test_catboost(self):
        import catboost

        rows, settings = self.rows, {"iterations": 3, "verbose": False, "allow_writing_files": False}
        model = catboost.CatBoostClassifier(**settings).fit(rows, self.two)
        raw = model.predict(rows, prediction_type="RawFormulaVal")
        names = ("predict", "predict_proba", "predict_log_proba")
        expected = {name: getattr(model, name)(rows) for name in names}
        self.check(self.loaded("catboost", model), dict(expected, margin=raw, raw_score=raw))
        number = catboost.CatBoostRegressor(**settings).fit(rows, self.number)
        self.assertEqual(list(self.loaded("catboost", number).methods), ["predict", "margin", "raw_score"])

    def test_other_flavors_have_none(self):
        import mlflow.pyfunc

        class Own(mlflow.pyfunc.PythonModel):
            def predict(self, context, model_input, params=None):
                return model_input

            def predict_proba(self, model_input):
                return model_input

        self.assertEqual(self.loaded("pyfunc", None, python_model=Own()).methods, {})


if __name__ == "__main__":
    unittest.main()
