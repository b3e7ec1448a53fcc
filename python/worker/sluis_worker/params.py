"""Params of a call, from the form that a head carries to what a model's `predict` gets.

Knows nothing of models; which params there are is the signature's matter.
"""

import datetime

from .errors import ProtocolError


def decode(encoded):
    """A new dict for each call: a model may change what it gets."""
    if not isinstance(encoded, dict):
        raise ProtocolError("the 'params' of a call must be an object")
    return {name: _value(value) for name, value in encoded.items()}


def _value(value):
    kind = type(value)
    if kind is list:
        return [_value(item) for item in value]
    if kind is dict:
        return _tagged(value)
    return value


def _tagged(value):
    """JSON has no dates, and an object stands for what has no form of its own: one key names what it is."""
    if len(value) == 1:
        ((tag, inner),) = value.items()
        if tag == "object" and isinstance(inner, dict):
            return {name: _value(item) for name, item in inner.items()}
        if tag == "date" and isinstance(inner, str):
            return datetime.date.fromisoformat(inner)
        if tag == "datetime" and isinstance(inner, str):
            return datetime.datetime.fromisoformat(inner)
    raise ProtocolError("a param is an object with other keys than 'object', 'date' or 'datetime'")
