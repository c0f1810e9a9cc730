"""What a file holds, so that two executions can be compared: text, numbers, or what stands for its bytes.

Archives and packed files are read by their members, not by the dates that they contain. Nothing is unpickled.
"""

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import os
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .hdf_and_parquet import parts_in
from .masks import masked, masked_file, names_duration, without_dates
from .pickled import NotRead, lines_of_pickle

Content = str | NDArray[Any]
"""The contents of a file: masked text, or numbers."""
LARGE, SMALL = 64 * 2**20, 2**20
_SEARCHED = 2**24
"""Bytes. Files above the first are not read, those above the second are not kept; those above the third keep their dates."""
_FEW = 10_000
"""An array with fewer numbers is kept as text."""


def _of_zlib(data: bytes) -> bytes:
    """What is packed in one stream. Raises zlib.error if it is cut short, too large, or if something follows."""
    one = zlib.decompressobj()
    found = one.decompress(data, LARGE)
    if not one.eof or one.unused_data:
        raise zlib.error("not one whole stream")
    return found


_PACKED: tuple[tuple[bytes, Callable[[io.BytesIO], Any]], ...] = (
    (b"\x1f\x8b", lambda data: gzip.GzipFile(fileobj=data)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\x00", lzma.LZMAFile),
    *(
        (b"\x78" + level, lambda data: io.BytesIO(_of_zlib(data.read())))
        for level in (b"\x01", b"\x5e", b"\x9c", b"\xda")
    ),
)
"""How files are unpacked that hold one other file, by their first bytes: gzip, bzip2, xz, and zlib, as joblib packs. What packs may write the date."""
_ENDINGS = (".gz", ".bz2", ".xz", ".z")
_SHORT = {".tgz": ".tar.gz", ".tbz2": ".tar.bz2", ".txz": ".tar.xz"}
"""Endings that stand for two."""
_DAMAGED = (OSError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError)
"""What unpacking raises for a file that is damaged, or that wants a password."""
OF_BYTES = "digest of bytes"
"""Before the digest of a part of a file that is no text."""


def digest_of(content: Content | bytes) -> str:
    """A short digest of text, bytes or numbers."""
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    elif isinstance(content, np.ndarray):
        content = f"{content.dtype} {content.shape} ".encode() + np.ascontiguousarray(content).tobytes()
    return hashlib.sha256(content).hexdigest()[:16]


def content_of(path: str, name: str, durations: bool) -> Content | bytes:
    """What a file holds. Numbers that are named as durations are left out if `durations` is true."""
    if zipfile.is_zipfile(path):
        with contextlib.suppress(*_DAMAGED), zipfile.ZipFile(path) as archive:
            return _members(_in_zip(archive), name, durations)
    return _of_bytes(Path(path).read_bytes(), name, durations)


def _of_bytes(data: bytes, name: str, durations: bool) -> Content | bytes:
    """The content of a file that is no archive of `zipfile`."""
    stem, suffix = os.path.splitext(name)
    if suffix in _SHORT:
        stem, suffix = os.path.splitext(stem + _SHORT[suffix])
    if suffix == ".npy":
        with contextlib.suppress(ValueError, OSError, EOFError):  # one of objects is compared by its bytes
            array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
            return array
    unpack = next((unpack for magic, unpack in _PACKED if data.startswith(magic)), None)
    if unpack is not None:
        with contextlib.suppress(*_DAMAGED), unpack(io.BytesIO(data)) as packed:
            unpacked = packed.read(LARGE)
            if len(unpacked) < LARGE:
                return _of_bytes(unpacked, stem if suffix in _ENDINGS else name, durations)
    if suffix == ".tar":
        with contextlib.suppress(*_DAMAGED), tarfile.open(fileobj=io.BytesIO(data)) as archive:
            return _members(_in_tar(archive), name, durations)
    parts = parts_in(data)
    if parts is not None:
        return _lines(((part, re.split("[/@]", part)[-1], value) for part, value in parts), durations)
    if b"\x00" not in data:
        with contextlib.suppress(UnicodeDecodeError):
            return masked_file(data.decode("utf-8"), name, durations)
    if data.startswith(b"\x80") and len(data) <= _SEARCHED:
        return _pickled(data, durations) or _with_arrays(data, durations)
    return _without_dates(data)


def _pickled(data: bytes, durations: bool) -> str:
    """What a small pickle holds, one value a line, with dates masked; "" if it is none. Nothing is executed.

    Numbers that are named as durations are left out if `durations` is true.
    """
    if len(data) > SMALL:
        return ""
    try:
        values = lines_of_pickle(data, OF_BYTES)
    except NotRead:
        return ""
    return _lines(values, durations)


def _lines(values: Iterable[tuple[str, str, object]], durations: bool) -> str:
    """Values by name, one a line, with dates masked in all but arrays of numbers.

    Each is given as the way to it, its last name and itself. Single numbers that are named as durations are left out if
    `durations` is true.
    """
    found: list[str] = []
    lines: list[str] = []
    for way, name, value in values:
        if isinstance(value, np.ndarray):
            found += [masked("\n".join(lines), durations=False)] * bool(lines)
            found.append(f"{way}: {_array(value, np.ascontiguousarray(value).tobytes())}")
            lines = []
        elif isinstance(value, list):
            lines += [f"{way}:", *map(repr, value)]
        else:
            lines.append(f"{way}: {_single(name, value, durations)}")
    found += [masked("\n".join(lines), durations=False)] * bool(lines)
    return "\n".join(found)


def _single(name: str, value: object, durations: bool) -> str:
    if isinstance(value, float):
        return "TIME" if durations and names_duration(name) else repr(value)
    return str(value)


_STATE_OF_DATE = re.compile(
    rb"\x07[\xb2-\xff][\x01-\x0c][\x01-\x1f][\x00-\x17][\x00-;][\x00-;][\x00-\x0f]..", re.DOTALL
)
"""A `datetime` of this time as `pickle` keeps it: year, month, day, hour, minute, second, microsecond."""
_TEXT = re.compile(rb"[\t\n\r -~]{7,}")
"""What may be text in a file of another kind, and may hold a date."""
_NAMED = re.compile(rb"(?s)\x8c.([ -~]{1,60})\x94(?:G(.{8})|C\x0a)")
"""In a pickle: a word, and behind it a number (big-endian)."""


def _with_arrays(data: bytes, durations: bool) -> str:
    """Of a pickle with the bytes of arrays in between, as joblib writes it: its numbers behind words, and a digest of the rest."""
    lines: list[str] = []

    def noted(found: "re.Match[bytes]") -> bytes:
        if found[2] is None:
            return found[0]
        name = found[1].decode("ascii")
        lines.append(f"{name!r}: {_single(name, struct.unpack('>d', found[2])[0], durations)}")
        return found[1]

    rest = re.sub(
        rb"C\x0a(?=" + _STATE_OF_DATE.pattern + rb")(?s:.{10})", b"DATE", _NAMED.sub(noted, data), flags=re.DOTALL
    )
    return "\n".join([f"{OF_BYTES} {hashlib.sha256(_without_dates(rest)).hexdigest()}", *lines])


def _without_dates(data: bytes) -> bytes:
    """A pickle or another binary file without the dates that it contains as text. Files above 16 MiB are not changed."""
    if len(data) > _SEARCHED:
        return data
    return _TEXT.sub(lambda found: without_dates(found[0].decode("ascii")).encode(), data)


def _in_zip(archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    for member in archive.infolist():
        too_large = member.file_size >= LARGE
        yield member.filename, f"{OF_BYTES} {member.CRC:064x}".encode() if too_large else archive.read(member)


def _in_tar(archive: tarfile.TarFile) -> Iterator[tuple[str, bytes]]:
    for member in archive.getmembers():
        file = archive.extractfile(member) if member.isfile() else None
        if file is not None:
            yield member.name, file.read()


def _members(members: Iterable[tuple[str, bytes]], of: str, durations: bool) -> str:
    """Name and contents of each of an archive's members: text, small arrays and pickles as text, of others a digest.

    In Keras's archives `metadata.json`, which holds a date, counts by its name alone; in torch's, `serialization_id` does, a
    digest of the other members. The folder in which torch puts them all has the name of the file.
    """
    shown = [(name, _member(name, data, durations)) for name, data in members]
    folders = {name.partition("/")[0] for name, _ in shown}
    cut = len(next(iter(folders))) + 1 if len(folders) == 1 and all("/" in name for name, _ in shown) else 0
    dated = ".data/serialization_id" if cut else "metadata.json" if of.endswith(".keras") else ""
    return "\n".join(sorted(name[cut:] if name[cut:] == dated else f"{name[cut:]}: {text}" for name, text in shown))


def _member(name: str, data: bytes, durations: bool) -> str:
    content = _of_bytes(data, name, durations) if len(data) < SMALL else data
    if isinstance(content, np.ndarray):
        return _array(content, data)
    if isinstance(content, str):
        return content
    return f"{OF_BYTES} {hashlib.sha256(_without_dates(content)).hexdigest()}"


def _array(array: NDArray[Any], data: bytes) -> str:
    """Numbers as text; of many, and of other things, a digest of their bytes."""
    if array.size < _FEW and array.dtype.kind in "biufc":
        return f"{array.dtype} {array.shape}\n" + "\n".join(map(repr, array.ravel().tolist()))
    return f"{OF_BYTES} {hashlib.sha256(data).hexdigest()}"


def size_of(content: Content) -> int:
    """How many characters or bytes."""
    return len(content) if isinstance(content, str) else content.nbytes
