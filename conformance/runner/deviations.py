"""The list of known differences: reads it, applies it to results, and finds entries that no longer hold."""

import fnmatch
from dataclasses import dataclass, field

FIELDS = ("rows", "mlflow", "sluis", "reason")


class BadList(Exception):
    """The file does not have the form that its head describes."""


@dataclass
class Deviation:
    """One known difference. `status`, when given, is what Sluis answers: another answer is not covered."""

    rows: list
    reason: str
    corpus: str = "mlflow"
    status: int = None
    used: set = field(default_factory=set)

    def covers(self, result):
        return self.status is None or result.got_status == self.status

    def patterns_of(self, row_id):
        return [pattern for pattern in self.rows if fnmatch.fnmatchcase(row_id, pattern)]


def read(file, corpus):
    """The deviations that the YAML file lists for `corpus` (its path in this folder); BadList names the entry."""
    import yaml

    entries = yaml.safe_load(file.read_text(encoding="utf-8")) or []
    if not isinstance(entries, list):
        raise BadList(f"{file}: a list of entries was expected, not {type(entries).__name__}")
    listed = [parse(file, number, entry) for number, entry in enumerate(entries, 1)]
    return [deviation for deviation in listed if deviation.corpus == corpus]


def parse(file, number, entry):
    missing = [name for name in FIELDS if not (isinstance(entry, dict) and entry.get(name))]
    if missing:
        raise BadList(f"{file}, entry {number}: lacks {', '.join(missing)}; every entry needs {', '.join(FIELDS)}")
    if not isinstance(entry["rows"], list):
        raise BadList(f"{file}, entry {number}: `rows` is a list of row ids or shell patterns")
    patterns = [str(pattern) for pattern in entry["rows"]]
    return Deviation(patterns, entry["reason"], entry.get("corpus", "mlflow"), entry.get("status"))


def apply(deviations, results):
    """Marks the results that a deviation explains. Results that always fail are never explained."""
    for result in results:
        for deviation in deviations:
            patterns = deviation.patterns_of(result.row_id)
            if patterns and not result.equal and not result.always_fails and deviation.covers(result):
                result.deviation = deviation.reason
                deviation.used.update(patterns)


def stale(deviations, results, known_ids):
    """One sentence for every pattern that names no row at all, or only rows that are equal by now."""
    replayed = {result.row_id for result in results}
    sentences = []
    for deviation in deviations:
        for pattern in deviation.rows:
            if pattern in deviation.used:
                continue
            if not fnmatch.filter(known_ids, pattern):
                sentences.append(f"deviation {pattern!r} names no row of this corpus")
            elif fnmatch.filter(replayed, pattern):
                sentences.append(f"deviation {pattern!r} is stale: no row of it differs as listed; remove it")
    return sentences
