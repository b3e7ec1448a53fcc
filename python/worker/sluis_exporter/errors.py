"""Why a model has no scoring program. Knows nothing of models."""


class NotCovered(Exception):
    """The model, or a part of it, has no native form; the text names the part and says why."""
