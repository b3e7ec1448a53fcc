"""Ensembles of trees in one neutral form, whatever library grew them.

A tree is arrays over its nodes. A leaf has feature -1 and a slot: the row of `values` that it adds to the outputs
`target .. target + span`. Knows no library.
"""

import numpy as np

#: Bits of a node's flags.
DEFAULT_LEFT, ZERO_IS_MISSING, NAN_IS_MISSING, CATEGORIES, SIDED = 1, 2, 4, 8, 16


class Ensemble:
    """Trees in the order in which they are added up."""

    def __init__(self, span, rule, compare, add):
        self.span = span
        #: `le`: left where value <= threshold; `lt`: left where value < threshold.
        self.rule = rule
        #: Precision of the comparison and of the sum: `float32` or `float64`.
        self.compare, self.add_in = compare, add
        self._parts = {name: [] for name in ("feature", "threshold", "left", "right", "flags", "slot")}
        self._values, self._sizes, self._targets = [], [], []
        self._slots = 0
        self._words, self._word_ends = [], []

    def tree(self, feature, threshold, left, right, flags, leaves, values, target=0):
        """Adds a tree. `leaves` are the numbers of its leaf nodes, `values` what each of them adds."""
        count = len(feature)
        slot = np.zeros(count, dtype=np.int64)
        slot[leaves] = self._slots + np.arange(len(leaves))
        feature = np.array(feature, dtype=np.int64)
        feature[leaves] = -1
        for name, part in zip(self._parts, (feature, threshold, left, right, flags, slot)):
            self._parts[name].append(np.asarray(part))
        self._values.append(np.asarray(values, dtype=np.float64).reshape(len(leaves), self.span))
        self._sizes.append(count)
        self._targets.append(target)
        self._slots += len(leaves)

    def categories(self, words):
        """Adds a set of categories as 32-bit words; its number, which its node has as threshold."""
        self._words.extend(int(word) for word in words)
        self._word_ends.append(len(self._words))
        return len(self._word_ends) - 1

    def step(self, builder, value, outputs, base, divisor=None, zero_below=None):
        """The step that adds up the trees over `value`, from `base` on, and divides at the end."""
        joined = {name: np.concatenate(parts) if parts else np.zeros(0) for name, parts in self._parts.items()}
        splits = joined["feature"] >= 0
        plain = splits & ((joined["flags"].astype(np.int64) & CATEGORIES) == 0)
        features, thresholds = joined["feature"][plain].astype(int), joined["threshold"][plain]
        blurred = np.array([blur is not None for blur in value.blurs])
        builder.turns_at(value, features, np.where(blurred[features], self._edges(thresholds), thresholds))
        value = builder.beside(value, [self._edges(thresholds[features == column]) for column in range(value.width)])
        add = builder.arrays.add
        ends = np.cumsum(self._sizes)
        made = builder.step(
            "trees",
            [value],
            outputs,
            span=self.span,
            rule=self.rule,
            compare=self.compare,
            add=self.add_in,
            ends=add(ends, "int64"),
            targets=add(self._targets, "int64"),
            feature=add(joined["feature"], "int32"),
            threshold=add(joined["threshold"], "float64"),
            left=add(joined["left"], "int32"),
            right=add(joined["right"], "int32"),
            flags=add(joined["flags"], "uint8"),
            slot=add(joined["slot"], "uint32"),
            values=add(np.concatenate(self._values) if self._values else np.zeros(0), "float64"),
            base=add(np.broadcast_to(np.asarray(base, dtype=np.float64), (outputs,)), "float64"),
            divisor=None if divisor is None else float(divisor),
            zero_below=zero_below,
            word_ends=add(self._word_ends, "int64"),
            words=add(self._words, "uint32"),
        )
        made.single = self.add_in == "float32"
        return made

    def _edges(self, thresholds):
        """Where numbers change sides: halfway to the next number of the precision that nodes compare in."""
        if self.compare == "float64":
            return thresholds
        with np.errstate(all="ignore"):
            single = thresholds.astype(np.float32)
            above = np.nextafter(single, np.float32(np.inf))
            below = np.nextafter(single, np.float32(-np.inf))
        single, above, below = (side.astype(np.float64) for side in (single, above, below))
        if self.rule == "lt":
            return (below + single) / 2
        return np.where(single > thresholds, (below + single) / 2, (single + above) / 2)
