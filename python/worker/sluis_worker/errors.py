"""Errors of the worker itself, and how exceptions are told to the parent.

Knows nothing of MLflow: what an MLflow exception adds is the scorer's matter.
"""

from .protocol import TEXT_LIMIT


class ProtocolError(Exception):
    """The parent sent what the protocol does not allow; the connection cannot go on."""


def text(value, limit=TEXT_LIMIT):
    """The text of anything, fit for UTF-8 and cut to `limit` characters; never raises."""
    try:
        result = str(value)
    except Exception as error:
        result = "<no text: str() raised {}>".format(type(error).__name__)
    result = result.encode("utf-8", "backslashreplace").decode("utf-8")
    return result if len(result) <= limit else result[:limit] + " [cut]"


def class_name(error):
    """`module.Class`, without the module for Python's own classes."""
    kind = type(error)
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return "{}.{}".format(kind.__module__, kind.__qualname__)


def describe(error):
    """Class and message of an exception, as both channels tell them."""
    return {"class": class_name(error), "message": text(error)}
