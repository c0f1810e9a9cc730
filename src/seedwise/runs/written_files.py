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
_AT_LEAST = 2**16
"""What a file counts at least, in bytes, towards those of which checksums are computed."""
_EVENTS = "events.out.tfevents"


def written(
    world: World, project: Path, durations: bool, known: Mapping[str, str] | None = None
) -> tuple[dict[str, str], dict[str, Content]]:
    """Digests and contents of the written files by path, also of files outside the project.

    Pictures, logs, databases, profiles, and files with a clock in them are left out. Of archives (`.npz`, `.pt`, `.zip`, `.tar`)
    the members count, and of packed files what is packed, not their dates. Nothing is unpickled. `known` are digests that the program's processes have computed
    from what the files mean: full path → digest.
    """
    digests: dict[str, str] = {}
    contents: dict[str, Content] = {}
    for target in world.targets:
        for folder, _, names in os.walk(target["upper"]):
            for name in sorted(names):
                path = os.path.join(folder, name)
                inner = os.path.join(target["path"], os.path.relpath(path, target["upper"]))
                inside = inner.startswith(str(project) + os.sep)
                if name.endswith(_LEFT_OUT) or _EVENTS in name or not (inside or _is_result(inner)):
                    continue
                with contextlib.suppress(OSError, ValueError, zipfile.BadZipFile, EOFError, NotImplementedError):
                    if os.path.islink(path) or not 0 < os.path.getsize(path) < LARGE:
                        continue
                    shown = masked_path(os.path.relpath(inner, project) if inside else inner)
                    if known and inner in known:
                        digests[shown] = known[inner]
                        continue
                    content = content_of(path, name, durations)
                    digests[shown] = digest_of(content)
                    if not isinstance(content, bytes) and size_of(content) < SMALL:
                        contents[shown] = content
    return digests, contents


def checksums(world: World) -> tuple[str, ...]:
    """The CRC-32, MD5, SHA-1 and SHA-256 of each written file, sorted, in hexadecimal. Not of large files, nor of very many."""
    found: set[str] = set()
    left = LARGE
    for target in world.targets:
        for folder, _, names in os.walk(target["upper"]):
            for name in sorted(names):
                path = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    size = os.path.getsize(path)
                    if os.path.islink(path) or not 0 < size <= left:
                        continue
                    left -= size + _AT_LEAST
                    data = Path(path).read_bytes()
                    found |= {f"{zlib.crc32(data):08x}", *(hashlib.new(name, data).hexdigest() for name in _CHECKSUMS)}
    return tuple(sorted(found))


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
