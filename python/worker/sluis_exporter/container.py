"""The file form of programs and samples: a JSON head, then arrays at multiples of eight bytes.

Knows bytes, not what they mean. Read by `crates/native/src/container.rs`.
"""

import json
import os
import struct

import numpy as np

MAGIC = b"SLPROG1\n"

#: What an array may hold, by numpy's name; values are little-endian.
DTYPES = ("uint8", "int32", "uint32", "int64", "float32", "float64")


class Arrays:
    """Collects arrays and gives each a number."""

    def __init__(self):
        self._arrays = []
        self._entries = []
        self._end = 0

    def add(self, values, dtype):
        """The number of a new array of that type."""
        array = np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<")).reshape(-1)
        self._entries.append({"dtype": dtype, "count": int(array.size), "offset": self._end})
        self._arrays.append(array)
        self._end += -(-array.nbytes // 8) * 8
        return len(self._arrays) - 1

    def add_texts(self, texts):
        """The number of the first of two arrays: where each text ends, and their bytes in UTF-8."""
        encoded = [text.encode("utf-8") for text in texts]
        ends = self.add(np.cumsum([len(text) for text in encoded], dtype=np.int64), "int64")
        self.add(np.frombuffer(b"".join(encoded), dtype=np.uint8), "uint8")
        return ends

    def size(self):
        """Bytes of all arrays."""
        return self._end

    def write(self, path, head):
        """Writes the file: complete under its name, or not at all."""
        head = dict(head, arrays=self._entries)
        text = json.dumps(head, separators=(",", ":"), allow_nan=False).encode("ascii")
        text += b" " * (-len(text) % 8)
        partial = path + ".partial"
        with open(partial, "wb") as file:
            file.write(MAGIC + struct.pack("<Q", len(text)) + text)
            for array in self._arrays:
                file.write(array.tobytes())
                file.write(b"\0" * (-array.nbytes % 8))
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
