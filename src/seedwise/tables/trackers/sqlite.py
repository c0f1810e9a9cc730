"""A database of SQLite that belongs to somebody else."""

import sqlite3
from pathlib import Path

from ...errors import UsageError

MAGIC = b"SQLite format 3\x00"


def is_sqlite(path: str) -> bool:
    """Whether a file is a database of SQLite."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_only(path: str) -> sqlite3.Connection:
    """A connection that cannot change the file. Raises UsageError."""
    try:
        return sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise UsageError(f"{path} cannot be opened: {error}") from None


def tables_of(path: str) -> set[str]:
    """The names of its tables. Raises UsageError where the database cannot be read."""
    connection = read_only(path)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    finally:
        connection.close()
