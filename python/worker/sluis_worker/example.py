"""Scores the model's input example once, so that "ready" means more than "loaded".

An example that fails does not keep the model from being served, since MLflow would serve it: the outcome is told to the
parent. Knows nothing of calls and frames.
"""

import inspect

from .errors import describe


def score_example(model, folder):
    """{"example": "scored" | "none" | "unreadable" | "failed"}, and what was raised as "example_error"."""
    metadata = model.metadata
    try:
        example = metadata.load_input_example(folder)
        if example is None:
            return {"example": "none"}
        load_params = getattr(metadata, "load_input_example_params", None)
        params = load_params(folder) if load_params is not None else None
    except Exception as error:
        # No example that this MLflow can read: nothing is known against the model.
        return {"example": "unreadable", "example_error": describe(error)}
    try:
        if params and "params" in inspect.signature(model.predict).parameters:
            model.predict(example, params=params)
        else:
            model.predict(example)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return {"example": "failed", "example_error": describe(error)}
    return {"example": "scored"}
