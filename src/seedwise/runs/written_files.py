"""What a program wrote, so that two executions can be compared.

There is a digest of each file, and the numbers or text of small files.
"""

import contextlib
import hashlib
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..sandbox.worlds import World
from .file_contents import LARGE, SMALL, Content, content_of, digest_of, size_of
from .masks import masked_path

_LEFT_OUT = (
    ".pyc",
    ".db",
    ".sqlite",
    ".sqlite3",
    ".db-journal",
    ".log",
    ".lock",
    ".pid",
    ".prof",
    ".pstats",
    ".png",
    ".pdf",
    ".svg",
    ".jpg",
    ".gif",
)
_PASSING = (".", "tmp", "temp", "pymp-", "torch", "cache", "__pycache__", "matplotlib", "wandb")
_CHECKSUMS = ("md5", "sha1", "sha256")
_EVENTS = "events.out.tfevents"


def written(
    world: World, project: Path, durations: bool, known: Mapping[str, str] | None = None
) -> tuple[dict[str, str], dict[str, Content], tuple[str, ...]]:
    """Digests and contents of the written files by path, also of files outside the project; and their sorted checksums.

    Pictures, logs, databases, profiles, and files with a clock in them are left out. Of archives (`.npz`, `.pt`, `.zip`, `.tar`)
    the members count, and of packed files what is packed, not their dates. Nothing is unpickled. `known` are digests that the program's processes have computed
    from what the files mean: full path → digest; "" for a file that is a part of another one.
    """
    digests: dict[str, str] = {}
    contents: dict[str, Content] = {}
    checksums: set[str] = set()
    for target in world.targets:
        for folder, folders, names in os.walk(target["upper"]):
            folders.sort()
            place = os.path.normpath(os.path.join(target["path"], os.path.relpath(folder, target["upper"])))
            for name in sorted(names):
                path, inner = os.path.join(folder, name), os.path.join(place, name)
                inside = inner.startswith(str(project) + os.sep)
                if name.endswith(_LEFT_OUT) or _EVENTS in name or not (inside or _is_result(inner)):
                    continue
                with contextlib.suppress(OSError, ValueError, zipfile.BadZipFile, EOFError, NotImplementedError):
                    if os.path.islink(path) or not 0 < os.path.getsize(path) < LARGE:
                        continue
                    shown = _another(_shown(inner, project), digests)
                    checksums |= _checksums(path)
                    if known and inner in known:
                        digests.update({shown: known[inner]} if known[inner] else {})
                        continue
                    content = content_of(path, name, durations)
                    digests[shown] = digest_of(content)
                    if not isinstance(content, bytes) and size_of(content) < SMALL:
                        contents[shown] = content
    return digests, contents, tuple(sorted(checksums))


def _shown(path: str, project: Path) -> str:
    """The path without dates, relative to the project if it is inside."""
    return masked_path(os.path.relpath(path, project) if path.startswith(str(project) + os.sep) else path)


def _checksums(path: str) -> set[str]:
    """CRC-32, MD5, SHA-1 and SHA-256 of a file, in hexadecimal."""
    data = Path(path).read_bytes()
    return {f"{zlib.crc32(data):08x}", *(hashlib.new(name, data).hexdigest() for name in _CHECKSUMS)}


def _another(name: str, known: Mapping[str, str]) -> str:
    """A name that is not yet known: two files may have the same one when dates are masked."""
    k = 2
    while name in known:
        name, k = f"{name.removesuffix(f' ({k - 1})')} ({k})", k + 1
    return name


def contents_of(folder: Path) -> Iterator[tuple[str, Content | bytes]]:
    """Path and content of each regular file below `folder`, with durations and dates masked.

    What `written` leaves out is left out.
    """
    for place, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(place, name)
            if name.endswith(_LEFT_OUT) or _EVENTS in name or os.path.islink(path):
                continue
            shown = masked_path(os.path.relpath(path, folder))
            try:
                yield shown, content_of(path, name, durations=True) if os.path.getsize(path) < LARGE else b"large"
            except (ValueError, zipfile.BadZipFile, EOFError, NotImplementedError):
                yield shown, Path(path).read_bytes()


def _is_result(path: str) -> bool:
    """Whether a file outside the project may be a result: not in a cache, and not temporary."""
    return not any(part.startswith(_PASSING) for part in path.split(os.sep)[1:] if part != "tmp")
