"""Turns results into a table, a list of failures, a JSON document and an exit code."""

import json
from collections import Counter

from .corpus import is_startup
from .decoders import TYPED

HEAD = ("model", "rows", "status %", "body %", "by rust", "by python", "known", "5xx for 4xx", "hangs", "crashes", "not started")


def summary(name, results):
    """Counts and shares of one set-up, or of all."""
    outcomes = Counter(result.outcome for result in results)
    return {
        "model": name,
        "rows": len(results),
        "status_parity": share(result.status_equal for result in results),
        "body_parity": share(result.body_equal for result in results),
        "by_rust": sum(result.decided == "rust" for result in results),
        "by_python": sum(result.decided == "python" for result in results),
        "known_differences": sum(result.deviation is not None for result in results),
        "server_faults": sum(result.server_fault for result in results),
        "hangs": outcomes["hang"],
        "crashes": outcomes["crash"],
        "not_started": outcomes["not started"],
    }


def share(flags):
    """Percent that are true, of at least one; 0 for none, so that an empty run never passes a threshold."""
    flags = list(flags)
    return 100.0 * sum(flags) / len(flags) if flags else 0.0


def summaries(results):
    """One summary per set-up in order of names, and the total last."""
    names = sorted({result.setup for result in results})
    each = [summary(name, [result for result in results if result.setup == name]) for name in names]
    return each, summary("total", results)


def print_table(results):
    each, total = summaries(results)
    rows = [HEAD] + [cells(entry) for entry in [*each, total]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    for row in rows:
        print(row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:])), sep="  ")


def print_deciders(results):
    """How many payloads under typed signatures Rust decided alone, where the server tells."""
    told = [result for result in results if result.setup in TYPED and result.decided]
    if told:
        rust = sum(result.decided == "rust" for result in told)
        print(f"\nunder signatures of scalar columns, tensors and params, Rust decided {rust} of {len(told)} payloads: {100 * rust / len(told):.1f} %")


def cells(entry):
    counts = [entry[name] for name in ("server_faults", "hangs", "crashes", "not_started")]
    return (entry["model"], str(entry["rows"]), f"{entry['status_parity']:.1f}", f"{entry['body_parity']:.1f}",
            str(entry["by_rust"] or "·"), str(entry["by_python"] or "·"), str(entry["known_differences"] or "·"), *(str(count or "·") for count in counts))


def print_failures(results, rows_by_id):
    """Every row that differs, with what was sent, what was recorded and what came."""
    for result in results:
        if not result.equal:
            row = rows_by_id[result.row_id]
            note = f"  [known: {result.deviation}]" if result.deviation else ""
            print(f"\n{result.row_id}: {row['description']}{note}\n  {result.outcome}: {result.reason}")
            if is_startup(row):
                continue
            print(f"  sent      {row['method']} {row['path']} {row['headers']} {cut(row['body'] or '<binary>')}")
            print(f"  recorded  {row['status']} {cut(row['response_body'])}")
            print(f"  came      {result.got_status} {cut(result.got_body)}")


def cut(text, limit=400):
    text = text.replace("\n", "\\n")
    return text if len(text) <= limit else text[:limit] + "…"


def write_json(file, results, problems):
    each, total = summaries(results)
    rows = [{name: value for name, value in vars(result).items() if value not in (None, "")} for result in results]
    document = {"total": total, "models": each, "problems": problems, "rows": rows}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")


def problems_of(results, min_status, min_body, strict):
    """Sentences about what makes the run fail; none when it passes."""
    total = summary("total", results)
    found = []
    for name, least in (("status", min_status), ("body", min_body)):
        if total[f"{name}_parity"] < least:
            found.append(f"{name} parity is {total[f'{name}_parity']:.2f} %, at least {least:g} % is asked for")
    for name, what in (("server_faults", "answers were a 5xx where the caller was to blame"), ("hangs", "rows hung"),
                       ("crashes", "rows ended in a crash"), ("not_started", "rows had no server, it did not start")):
        if total[name]:
            found.append(f"{total[name]} {what}: {names(results, name)}")
    unexplained = [result.row_id for result in results if not result.equal and result.deviation is None]
    if strict and unexplained:
        found.append(f"{len(unexplained)} rows differ and are not listed as known: {listed(unexplained)}")
    return found


def names(results, counter):
    outcome = {"hangs": "hang", "crashes": "crash", "not_started": "not started"}.get(counter)
    return listed([r.row_id for r in results if (r.server_fault if outcome is None else r.outcome == outcome)])


def listed(ids, limit=12):
    return ", ".join(ids[:limit]) + (f" and {len(ids) - limit} more" if len(ids) > limit else "")
