"""Names, numbers and limits of the worker protocol; `protocol/worker.md` is its description in prose.

Knows neither sockets nor models.
"""

#: Both sides refuse any other version.
VERSION = 2

#: Parent to worker.
DENSE = 1
ARROW = 2
TENSORS = 3
RAW = 4

#: Worker to parent.
DENSE_ANSWER = 129
ARROW_ANSWER = 130
JSON_ANSWER = 131
HTTP_ANSWER = 132
ERROR_ANSWER = 133

#: A head describes, it does not carry data: 1 MiB holds the names of some twenty thousand columns.
HEAD_LIMIT = 1 << 20

#: One line of the control channel; `load` may name every column of a wide model.
LINE_LIMIT = 16 << 20

#: The text of an error is cut to this many characters, so that its head keeps the limit.
TEXT_LIMIT = 64 << 10

#: Used where `load` names no limit of its own.
DEFAULT_BODY_LIMIT = 2 << 30
