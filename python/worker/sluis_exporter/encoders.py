"""OneHotEncoder, OrdinalEncoder and KBinsDiscretizer as steps."""

import numpy as np

from .builder import Frame
from .errors import NotCovered
from .walk import transforms

#: In `slots`: no output column, and a row that is left to Python.
NOTHING, DECLINED = -1, -2


@transforms("sklearn", "OneHotEncoder")
def _one_hot(builder, encoder, source):
    if np.dtype(encoder.dtype) not in (np.dtype("float64"), np.dtype("float32"), np.dtype("int64"), np.dtype("int32")):
        raise NotCovered("OneHotEncoder of type {}".format(np.dtype(encoder.dtype)))
    infrequent = getattr(encoder, "infrequent_categories_", None) if _groups(encoder) else None
    sources, features, width = [], [], 0
    for position, known in enumerate(encoder.categories_):
        rare = None if infrequent is None else infrequent[position]
        slots, count = _slots(encoder, position, known, rare)
        slots = [slot + width if slot >= 0 else slot for slot in slots]
        features.append(_feature(builder, sources, source, position, known, slots))
        width += count
    made = builder.step("one_hot", sources, width, features=features)
    made.sparse = bool(getattr(encoder, "sparse_output", getattr(encoder, "sparse", True)))
    made.single = np.dtype(encoder.dtype) == np.dtype("float32")
    return made


def _groups(encoder):
    return getattr(encoder, "min_frequency", None) is not None or getattr(encoder, "max_categories", None) is not None


def _slots(encoder, position, known, rare):
    """By category and, last, for an unknown one: the output column within the feature; and how many there are."""
    rare = [] if rare is None else list(rare)
    is_rare = [any(_same(category, other) for other in rare) for category in known]
    numbers, count = [], 0
    for flag in is_rare:
        numbers.append(None if flag else count)
        count += 0 if flag else 1
    grouped = count if rare else None
    numbers = [grouped if number is None else number for number in numbers]
    count += 1 if rare else 0
    unknown = NOTHING
    if encoder.handle_unknown == "error":
        unknown = DECLINED
    elif encoder.handle_unknown in ("infrequent_if_exist", "warn") and rare:
        unknown = grouped
    drop = None if encoder.drop_idx_ is None else encoder.drop_idx_[position]
    slots = numbers + [unknown]
    if drop is not None:
        gone = numbers[int(drop)]
        slots = [NOTHING if slot == gone else slot - 1 if slot > gone else slot for slot in slots]
        count -= 1
    return slots, count


def _same(a, b):
    return a == b or (a != a and b != b)


@transforms("sklearn", "OrdinalEncoder")
def _ordinal(builder, encoder, source):
    if _groups(encoder):
        raise NotCovered("OrdinalEncoder that groups rare categories has no native form")
    dtype = np.dtype(encoder.dtype)
    if dtype not in (np.dtype("float64"), np.dtype("float32"), np.dtype("int64"), np.dtype("int32")):
        raise NotCovered("OrdinalEncoder of type {}".format(dtype))
    sources, features = [], []
    for position, known in enumerate(encoder.categories_):
        codes = [float(code) for code in range(len(known))]
        for code, category in enumerate(known):
            if category is None or category != category:
                codes[code] = float(getattr(encoder, "encoded_missing_value", float("nan")))
        declined = encoder.handle_unknown != "use_encoded_value"
        codes.append(0.0 if declined else float(encoder.unknown_value))
        feature = _feature(builder, sources, source, position, known, None)
        feature["codes"] = builder.arrays.add(np.asarray(codes), "float64")
        feature["declined"] = declined
        features.append(feature)
    made = builder.step("ordinal", sources, len(features), features=features)
    made.single = dtype == np.dtype("float32")
    return made


@transforms("sklearn", "TargetEncoder")
def _target(builder, encoder, source):
    means = np.asarray(encoder.target_mean_, dtype=np.float64).reshape(-1)
    sources, features = [], []
    for number, codes in enumerate(encoder.encodings_):
        # Of several classes, a feature has a column for each.
        position, of = divmod(number, len(means))
        feature = _feature(builder, sources, source, position, encoder.categories_[position], None)
        feature["codes"] = builder.arrays.add(np.append(np.asarray(codes, dtype=np.float64), means[of]), "float64")
        feature["declined"] = False
        features.append(feature)
    return builder.step("ordinal", sources, len(features), features=features)


def _feature(builder, sources, source, position, known, slots):
    """One encoded column: where it comes from, and which categories are known."""
    entry = {"count": len(known)}
    column = source.columns[position] if isinstance(source, Frame) else None
    if column is not None and builder.kinds[column] == "string":
        texts = [category for category in known if isinstance(category, str)]
        if len(texts) < len(known) and len(texts) != len(known) - sum(1 for c in known if c is None or c != c):
            raise NotCovered("categories of column {} are not texts".format(builder.title(column)))
        builder.known_texts[column].update(texts)
        # A missing category matches no text; it keeps its number.
        entry["text"] = column
        entry["known"] = builder.arrays.add_texts([c if isinstance(c, str) else "" for c in known])
        entry["usable"] = builder.arrays.add([isinstance(c, str) for c in known], "uint8")
    else:
        categories = np.asarray(known)
        if categories.dtype.kind not in "iufb":
            raise NotCovered("categories of a number are not numbers")
        value = source if column is None else builder.numbers(Frame([column]))
        value = builder.check(value, "no_infinity")
        entry["from"] = len(sources)
        entry["column"] = position if column is None else 0
        sources.append(value)
        entry["known"] = builder.arrays.add(categories.astype(np.float64), "float64")
        builder.turns_at(value, [entry["column"]] * len(categories), [c for c in categories.astype(np.float64) if c == c])
    if slots is not None:
        entry["slots"] = builder.arrays.add(slots, "int32")
    return entry


@transforms("sklearn", "KBinsDiscretizer")
def _bins(builder, discretizer, source):
    value = builder.check(builder.numbers(source), "finite")
    if value.single or (discretizer.dtype is not None and np.dtype(discretizer.dtype) != np.dtype("float64")):
        raise NotCovered("KBinsDiscretizer in single precision has no native form")
    edges = [np.asarray(edge, dtype=np.float64) for edge in discretizer.bin_edges_]
    for column, edge in enumerate(edges):
        builder.turns_at(value, [column] * len(edge), edge)
    value = builder.beside(value, edges)
    ends = np.cumsum([max(len(edge) - 2, 0) for edge in edges])
    inner = np.concatenate([edge[1:-1] for edge in edges]) if len(edges) else np.zeros(0)
    made = builder.step(
        "bins", [value], value.width, ends=builder.arrays.add(ends, "int64"), edges=builder.arrays.add(inner, "float64")
    )
    if discretizer.encode == "ordinal":
        return made
    features, width = [], 0
    for column, count in enumerate(discretizer.n_bins_):
        known = np.arange(int(count), dtype=np.float64)
        slots = [width + number for number in range(int(count))] + [DECLINED]
        features.append(
            {
                "count": int(count),
                "from": 0,
                "column": column,
                "known": builder.arrays.add(known, "float64"),
                "slots": builder.arrays.add(slots, "int32"),
            }
        )
        width += int(count)
    hot = builder.step("one_hot", [made], width, features=features)
    hot.sparse = discretizer.encode == "onehot"
    return hot
