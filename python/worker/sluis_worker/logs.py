"""What the worker itself says on standard error, where the parent reads log lines.

Never writes payloads.
"""

import faulthandler
import sys
import traceback


def prepare():
    """Lets no print fail for its encoding, and native crashes name their Python frames."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)
    try:
        faulthandler.enable()
    except (OSError, ValueError, AttributeError):
        pass  # No usable standard error: crashes stay without frames, nothing else changes.


def report(sentence):
    """One sentence, then the traceback of the exception that is being handled."""
    print("sluis-worker: " + sentence, file=sys.stderr)
    traceback.print_exc(file=sys.stderr)
