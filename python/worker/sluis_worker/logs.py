"""What the worker itself says on standard error, where the parent reads log lines.

Never writes payloads.
"""

import faulthandler
import logging
import sys
import traceback

from .errors import class_name


def prepare():
    """Lets no print fail for its encoding, and native crashes name their Python frames."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)
    try:
        faulthandler.enable()
    except (OSError, ValueError, AttributeError):
        pass  # No usable standard error: crashes stay without frames, nothing else changes.


def be_discreet():
    """From here on requests come: what MLflow logs is told by its place, since MLflow quotes requests in its warnings."""
    for logger in (logging.getLogger("mlflow"), logging.getLogger()):
        for handler in logger.handlers:
            handler.addFilter(_without_text)


def _without_text(record):
    if record.name.split(".")[0] == "mlflow":
        record.msg = "(text left out, it may quote a request; logged at %s:%d)"
        record.args = (record.filename, record.lineno)
        record.exc_info = record.exc_text = record.stack_info = None
    return True


_last = []


def report(sentence, error):
    """One sentence, then where the exception came from; not its text, which may quote a caller's data.

    Of the same exception from the same place again only the sentence: every request may raise it.
    """
    frames = traceback.format_tb(error.__traceback__)
    lines = ["sluis-worker: {} {}\n".format(sentence, class_name(error))] + frames
    if lines == _last:
        lines = [lines[0].rstrip("\n") + ", from the same place as before\n"]
    else:
        _last[:] = lines
    sys.stderr.write("".join(lines))
    sys.stderr.flush()


def report_load(error):
    """The whole traceback of a model that did not load: no caller's data is near yet."""
    traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
