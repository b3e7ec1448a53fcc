"""When are two answers equal?  Pure functions: a recorded row and an answer in, a verdict out.

The rules (also in the README next door):

* status: equal numbers.
* body of a success: JSON equal in value and type (integer, float, text, boolean), floats to 1e-9 relative, NaN equals
  NaN, the order of an object's keys does not matter; anything that is not JSON is equal as text.
* body of a redirect: as a success, and the same Location, host and port apart.
* body of an error: both JSON or both not, and the same `error_code`. Message texts may differ.
* a row marked `unstable`: status, and whether the body is JSON.

A body can only be equal where the status is: an answer that errs in another way is not half right.
"""

import json
import math
from dataclasses import dataclass
from urllib.parse import urlsplit

RELATIVE_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Answer:
    """What a server sent back: status, headers (lower-case names, last one wins), body bytes."""

    status: int
    headers: dict
    body: bytes

    @property
    def text(self):
        return self.body.decode("utf-8", errors="backslashreplace")


@dataclass(frozen=True)
class Verdict:
    """Whether status and body agree, and in one sentence where they do not (empty when they do)."""

    status_equal: bool
    body_equal: bool
    server_fault: bool  # a 5xx where the recorded server blamed the caller (4xx)
    reason: str


def judge(row, answer):
    """Compare a recorded row with an answer."""
    wanted = row["status"]
    fault = answer.status >= 500 and 400 <= wanted < 500
    if answer.status != wanted:
        return Verdict(False, False, fault, f"status {answer.status} instead of {wanted}")
    reason = body_difference(row, answer)
    return Verdict(True, reason == "", False, reason)


def body_difference(row, answer):
    """One sentence that says how the bodies differ, or an empty text."""
    wanted_is_json, wanted = parse_json(row["response_body"])
    got_is_json, got = parse_json(answer.text)
    if wanted_is_json != got_is_json:
        return f"the body is {'JSON' if got_is_json else 'not JSON'}, recorded {'JSON' if wanted_is_json else 'no JSON'}"
    if row.get("unstable"):
        return ""
    if row["status"] >= 400:
        return error_difference(wanted, got) if wanted_is_json else ""
    if 300 <= row["status"] < 400:
        difference = location_difference(row, answer)
        if difference:
            return difference
    if wanted_is_json:
        return json_difference(wanted, got)
    return "" if row["response_body"] == answer.text else "the texts differ"


def error_difference(wanted, got):
    wanted_code, got_code = error_code(wanted), error_code(got)
    return "" if wanted_code == got_code else f"error_code {got_code!r} instead of {wanted_code!r}"


def error_code(value):
    """The `error_code` of an error document; None where there is none."""
    return value.get("error_code") if isinstance(value, dict) else None


def location_difference(row, answer):
    wanted = redirect_target(row["response_headers"].get("location"))
    got = redirect_target(answer.headers.get("location"))
    return "" if wanted == got else f"redirects to {got!r} instead of {wanted!r}"


def redirect_target(location):
    """Path and query of a Location header: host and port are the server's own."""
    if location is None:
        return None
    parts = urlsplit(location)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def parse_json(text):
    """(is it JSON?, the value). NaN and Infinity count as JSON numbers, as Python writes them."""
    try:
        return True, json.loads(text)
    except (ValueError, RecursionError):
        return False, None


def json_difference(wanted, got, place="$"):
    """Where two JSON values differ first, or an empty text."""
    if type(wanted) is not type(got):
        return f"{place}: {kind(got)} instead of {kind(wanted)}"
    if isinstance(wanted, dict):
        if wanted.keys() != got.keys():
            return f"{place}: keys {sorted(got)} instead of {sorted(wanted)}"
        pairs = [(f"{place}.{key}", wanted[key], got[key]) for key in wanted]
    elif isinstance(wanted, list):
        if len(wanted) != len(got):
            return f"{place}: {len(got)} elements instead of {len(wanted)}"
        pairs = [(f"{place}[{i}]", w, g) for i, (w, g) in enumerate(zip(wanted, got))]
    else:
        return "" if scalars_equal(wanted, got) else f"{place}: {got!r} instead of {wanted!r}"
    for inner, one, other in pairs:
        difference = json_difference(one, other, inner)
        if difference:
            return difference
    return ""


def scalars_equal(wanted, got):
    if isinstance(wanted, float):
        if math.isnan(wanted) or math.isnan(got):
            return math.isnan(wanted) and math.isnan(got)
        return math.isclose(wanted, got, rel_tol=RELATIVE_TOLERANCE, abs_tol=0.0)
    return wanted == got


def kind(value):
    names = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", int: "an integer", float: "a float"}
    return f"{names[type(value)]} {shorten(value)}" if type(value) in names else "null"


def shorten(value, limit=60):
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
