"""What the worker itself says on standard error, where the parent reads log lines.

Never writes payloads.
"""

import faulthandler
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
