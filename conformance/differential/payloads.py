"""Signatures, and payloads for them: seeded, so that a difference can be found again.

Most cells fit their column; the others are drawn from what JSON can hold, so that casts, refusals and forms are met.
"""

import json

SCALARS = ("boolean", "integer", "long", "float", "double", "string", "binary", "datetime")

TEXTS = [
    "x", "", "12", " 12 ", "1.5", "1_000", "nan", "Infinity", "-inf", "true", "false", "0", "1e5", "0x10", "+1", "1__0", ".5", "5.",
    "2147483648", "9223372036854775808", "1e39", "1e400", "é", "日本", "a b", "None", "YWJj", "YWI=", "YQ==", "Y", "Y!WJj", "2024-01-02",
    "2024-01-02T03:04:05", "2024-01-02 03:04:05.25", "2024-01-02T03:04:05Z", "2024-01-02T03:04:05+02:00", "01/02/2024",
    "2024", "9999-12-31", "2024-02-30", "2024-01-02T03:04", "1677-01-01", "\u0000a", "a\u0000", "\t1\n",
]
NUMBERS = [
    0, 1, 2, -1, 7, 1.0, 0.0, 1.9, -1.9, 0.1, 1e20, 1e39, -0.5, 2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63,
    2**64, -(2**63), -(2**63) - 1, 16777217, float("nan"), float("inf"), 3.5e-310, -0.0,
]
ODD = [None, True, False, [], [1], [1, 2], {}, {"a": 1}, ["a"], [None], [[1]]] + TEXTS + NUMBERS
FITTING = {
    "boolean": [True, False],
    "integer": [0, 1, -5, 2**31 - 1, 42],
    "long": [0, 1, -5, 2**53 + 1, 42, 2**63 - 1],
    "float": [0.5, 1.5, -2.25, 0.1, 1e10, 3],
    "double": [0.5, 1.5, -2.25, 0.1, 1e300, 3],
    "string": ["a", "b", "", "longer text", "é"],
    "binary": ["YWJj", "YWI=", "YQ==", ""],
    "datetime": ["2024-01-02", "2023-12-31", "2024-02-29"],
}
#: Values that need a cast, but one that many callers rely on.
NEAR = {
    "boolean": [1, 0, "true", None, 1.0],
    "integer": [1.0, "12", True, 2**31, None],
    "long": [1.0, "12", True, None, 1.9],
    "float": [1, "1.5", True, None, 2**53 + 1],
    "double": [1, "1.5", True, None, 2**53 + 1],
    "string": [1, 1.5, True, None],
    "binary": ["Y W J j", None, "é", "YWJ"],
    "datetime": ["2024-01-02T03:04:05", "2024-01-02T03:04:05Z", None, 1, 1.5, ""],
}
DTYPES = (
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 str object".split()
)


def column(name, kind, required=True):
    spec = {"type": kind, "required": required}
    if name is not None:
        spec["name"] = name
    return spec


def tensor(dtype, shape, name=None):
    spec = {"type": "tensor", "tensor-spec": {"dtype": dtype, "shape": shape}}
    if name is not None:
        spec["name"] = name
    return spec


def signatures():
    """Name -> the inputs of a signature."""
    out = {}
    for kind in SCALARS:
        out["one_" + kind] = [column("c", kind)]
        out["two_" + kind] = [column("c", kind), column("d", kind)]
        out["unnamed_" + kind] = [column(None, kind)]
        out["optional_" + kind] = [column("a", "double"), column("o", kind, False)]
    out["all"] = [column(kind[0:3] + "_col", kind) for kind in SCALARS]
    out["doubles"] = [column(name, "double") for name in ("sepal_length", "sepal_width", "petal_length")]
    out["mixed"] = [column("age", "long"), column("bmi", "double"), column("smoker", "boolean"), column("city", "string")]
    out["unnamed_two"] = [column(None, "double"), column(None, "long")]
    out["only_optional"] = [column("a", "long", False), column("b", "string", False)]
    for dtype in DTYPES:
        out["tensor_" + dtype] = [tensor(dtype, [-1, 2])]
        out["named_" + dtype] = [tensor(dtype, [-1, 2], "x"), tensor("int64", [-1], "k")]
    out["tensor_3d"] = [tensor("float32", [-1, 2, 2])]
    out["tensor_flat"] = [tensor("float64", [-1])]
    out["tensor_open"] = [tensor("float64", [-1, -1])]
    out["named_one"] = [tensor("float32", [-1, 2], "x")]
    return out


def _cell(random, kind, oddness):
    roll = random.random()
    if roll < 1 - oddness:
        return random.choice(FITTING[kind])
    if roll < 1 - oddness / 2:
        return random.choice(NEAR[kind])
    return random.choice(ODD)


def _names(random, specs):
    names = [spec.get("name", str(position)) for position, spec in enumerate(specs)]
    kinds = [spec["type"] for spec in specs]
    pairs = list(zip(names, kinds))
    roll = random.random()
    if roll < 0.08 and len(pairs) > 1:
        pairs.pop(random.randrange(len(pairs)))
    elif roll < 0.2:
        optional = [spec.get("name") for spec in specs if not spec.get("required", True)]
        pairs = [pair for pair in pairs if pair[0] not in optional or random.random() < 0.5]
    if random.random() < 0.12:
        pairs.append((random.choice(["extra", "sepal_lenght", "C", "0", "é"]), random.choice(SCALARS)))
    if random.random() < 0.02 and pairs:
        pairs.append(random.choice(pairs))
    if random.random() < 0.25:
        random.shuffle(pairs)
    return pairs


def _rows(random, pairs, oddness):
    # A column is odd as a whole more often than by single cells: that is how pandas' types come about.
    count = random.choice([1, 1, 2, 2, 3, 5])
    columns = []
    for _, kind in pairs:
        if random.random() < oddness / 2:
            pool = random.choice([NEAR[kind], NUMBERS, TEXTS, [True, False, None], [None]])
            columns.append([random.choice(pool) for _ in range(count)])
        else:
            columns.append([_cell(random, kind, oddness / 3) for _ in range(count)])
    return [list(row) for row in zip(*columns)] if columns else [[] for _ in range(count)]


def _split(random, pairs, rows):
    split = {"columns": [name for name, _ in pairs], "data": rows}
    roll = random.random()
    if roll < 0.1:
        split["index"] = list(range(len(rows)))
    elif roll < 0.13:
        split["index"] = random.choice([[0], ["a"] * len(rows), [5] * len(rows), None, list(range(len(rows) + 1)), "x"])
    elif roll < 0.16:
        split.pop("columns")
    elif roll < 0.18:
        split["columns"] = random.choice([None, [], list(range(len(pairs))), split["columns"][:-1], "x", [["a"]], [None]])
    elif roll < 0.20:
        split["data"] = random.choice([None, [], {}, 5, "x", [1, 2], [None], [[]], ["ab"], [[1], 2], [{"c": 1}], [{}]])
    elif roll < 0.22:
        split["extra"] = 1
    elif roll < 0.25 and rows:
        row = random.choice(rows)
        row.append(1) if random.random() < 0.5 or not row else row.pop()
    elif roll < 0.28:
        split["data"] = [dict(zip(split["columns"], row)) for row in rows]
    return split


def _records(random, pairs, rows):
    records = [dict(zip((name for name, _ in pairs), row)) for row in rows]
    if random.random() < 0.15 and records:
        record = random.choice(records)
        if record:
            record.pop(random.choice(sorted(record)))
    if random.random() < 0.04:
        return random.choice([{}, [], 5, "x", None, [1], [[1, 2]], rows, [{}], [None], records + [1]])
    return records


def _nested(random, shape, oddness):
    if not shape:
        return random.choice(ODD) if random.random() < oddness / 6 else random.choice([0, 1, 2, 0.5, 1.5, -1, 100])
    return [_nested(random, shape[1:], oddness) for _ in range(shape[0])]


def _tensor_value(random, spec, oddness):
    shape = [extent if extent >= 0 else random.choice([1, 2, 3]) for extent in spec["tensor-spec"]["shape"]]
    if random.random() < oddness / 3:
        shape = random.choice([shape[:-1] or [1], shape + [1], [extent + 1 for extent in shape], [0], []])
    value = _nested(random, shape, oddness)
    if random.random() < oddness / 5 and isinstance(value, list) and value:
        value[-1] = random.choice(ODD)
    if spec["tensor-spec"]["dtype"] == "bool" and random.random() < 0.7:
        value = _booleans(value)
    if spec["tensor-spec"]["dtype"] == "str" and random.random() < 0.8:
        value = _texts(random, value)
    return value


def _texts(random, value):
    if isinstance(value, list):
        return [_texts(random, item) for item in value]
    return random.choice(["", "x", "yes", "é", "😀", "a\0", "1.5", "None"]) if isinstance(value, (int, float)) else value


def _booleans(value):
    if isinstance(value, list):
        return [_booleans(item) for item in value]
    return value > 0.5 if isinstance(value, (int, float)) else value


def payload(random, specs):
    """One body for a signature, as text."""
    oddness = random.choice([0.0, 0.15, 0.5, 1.0])
    if specs[0]["type"] == "tensor":
        key, value = _tensors(random, specs, oddness)
    else:
        key, value = _columns(random, specs, oddness)
    body = {key: value}
    if random.random() < 0.03:
        body[random.choice(["params", "inputs", "instances", "other", "dataframe_split"])] = random.choice([{}, None, [1]])
    if random.random() < 0.01:
        body = random.choice([{}, [], 5, None, "x", {"dataframe_spilt": value}, {"inputs": value, "instances": value}])
    text = json.dumps(body, ensure_ascii=random.random() < 0.5)
    if random.random() < 0.02:
        place = random.randrange(len(text))
        text = text[:place] + random.choice(["", "x", "]", ",", '"', " "]) + text[place + 1 :]
    return text


def _columns(random, specs, oddness):
    pairs = _names(random, specs)
    rows = _rows(random, pairs, oddness)
    form = random.choice(["split", "split", "records", "records", "inputs", "instances"])
    if form == "split":
        return "dataframe_split", _split(random, pairs, rows)
    if form == "records":
        return "dataframe_records", _records(random, pairs, rows)
    lists = {name: [row[at] for row in rows] for at, (name, _) in enumerate(pairs)}
    records = [dict(zip((name for name, _ in pairs), row)) for row in rows]
    if random.random() < 0.1 and records and records[0]:
        records[-1].pop(random.choice(sorted(records[-1])))
    scalars = records[0] if records else {}
    if random.random() < 0.05 and lists:
        lists[random.choice(sorted(lists))].append(1)
    flat = [row[0] if row else None for row in rows]
    return form, random.choice([lists, lists, records, records, scalars, rows, flat, flat[0] if flat else None])


def _tensors(random, specs, oddness):
    if "name" not in specs[0]:
        if random.random() < 0.15:
            rows = _nested(random, [random.choice([1, 2]), random.choice([1, 2, 2, 2, 4])], oddness)
            split = {"data": rows}
            if random.random() < 0.7:
                split["columns"] = ["c%d" % at for at in range(len(rows[0]))]
            return "dataframe_split", split
        return random.choice(["inputs", "instances"]), _tensor_value(random, specs[0], oddness)
    named = {spec["name"]: _tensor_value(random, spec, oddness) for spec in specs}
    roll = random.random()
    if roll < oddness / 8:
        named.pop(random.choice(sorted(named)))
    elif roll < oddness / 4:
        named["extra"] = random.choice(ODD)
    if random.random() < 0.3:
        counts = {len(value) for value in named.values() if isinstance(value, list)}
        rows = min(counts, default=0)
        return "instances", [{name: value[row] for name, value in named.items() if isinstance(value, list)} for row in range(rows)]
    if random.random() < 0.05:
        return "inputs", next(iter(named.values()), None)
    return random.choice(["inputs", "inputs", "instances"]), named
