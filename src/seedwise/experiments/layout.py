"""The tables of the store, how a file with an older layout is converted, and the checksum of each row.

See docs/decisions/0013.
"""

import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

VERSION = 3


LAYOUT_1 = """
CREATE TABLE experiments (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    key TEXT NOT NULL,
    created REAL NOT NULL,
    command TEXT NOT NULL,
    manifest TEXT NOT NULL,
    plan TEXT NOT NULL,
    metrics TEXT NOT NULL DEFAULT '[]',
    UNIQUE (name, version)
);
CREATE TABLE inputs (
    experiment INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (experiment, kind, name)
) WITHOUT ROWID;
CREATE TABLE seeds (
    experiment INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    seed INTEGER NOT NULL,
    PRIMARY KEY (experiment, seed)
) WITHOUT ROWID;
CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    experiment INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    seed INTEGER NOT NULL,
    replicate INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 1,
    status TEXT NOT NULL,
    cause TEXT,
    detail TEXT NOT NULL DEFAULT '',
    owner TEXT NOT NULL DEFAULT '',
    started REAL,
    seconds REAL,
    folder TEXT,
    UNIQUE (experiment, seed, replicate, attempt)
);
CREATE TABLE series (
    run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    metric TEXT NOT NULL,
    position INTEGER NOT NULL,
    last REAL,
    steps BLOB NOT NULL,
    numbers BLOB NOT NULL,
    PRIMARY KEY (run, metric)
) WITHOUT ROWID;
"""


_LAYOUT_2 = """
ALTER TABLE runs ADD COLUMN forked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE series ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE series ADD COLUMN numbers_checksum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE experiments ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inputs ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
"""


_LAYOUT_3 = """
CREATE TABLE places (
    run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    place TEXT NOT NULL,
    checksum INTEGER NOT NULL
);
"""


MIGRATIONS: dict[int, str] = {1: _LAYOUT_2, 2: _LAYOUT_3}
"""The statements that lead from version k to version k + 1."""


SEALED: Mapping[str, str] = MappingProxyType(
    {
        "experiments": "id, name, version, key, command, manifest, plan, metrics",
        "runs": "experiment, seed, replicate, attempt, status, cause, detail, seconds, folder, forked",
        "inputs": "experiment, kind, name, value",
    }
)
"""For each table: the columns that its checksum covers. `series` has two checksums, one of them for its numbers."""


WHOLE_RUN = f"checksum = checksum_of({SEALED['runs']})"


WHOLE_SERIES = (
    "checksum = checksum_of(run, metric, position, last, length(numbers)) "
    "AND numbers_checksum = checksum_of(steps, numbers)"
)


def checksum(*values: Any) -> int:
    """CRC-32 of some columns. It finds damage, not deliberate changes."""
    total = 0
    for value in values:
        if isinstance(value, bytes):
            total = zlib.crc32(value, total)
        else:
            total = zlib.crc32(f"{type(value).__name__[0]}{value}\0".encode("utf-8", "surrogatepass"), total)
    return total


def sealed_series(
    run: int, metric: str, position: int, last: float | None, steps: bytes, numbers: bytes
) -> tuple[Any, ...]:
    head = checksum(run, metric, position, last, len(numbers))
    return run, metric, position, last, steps, numbers, head, checksum(steps, numbers)
