"""The records of a file of Weights & Biases.

Source: LevelDB's log format (doc/log_format.md of LevelDB), with the header and the CRC-32 of W&B.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from ...metrics.protobuf import Damaged

_BLOCK: Final = 32768
_HEAD: Final = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
WANDB_HEADER: Final = b":W&B"


def log_records(data: bytes) -> Iterator[bytes]:
    """The records of a W&B file, up to its end or to the first that was cut off.

    Raises
    ------
    Damaged
        The file does not begin as one of W&B, or a checksum does not fit and more follows.
    """
    if data[:4] != WANDB_HEADER:
        raise Damaged("it does not begin as a file of W&B")
    at, parts = 7, b""
    while at + _HEAD.size <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _HEAD.size:
            at += left
            continue
        checksum, length, kind = _HEAD.unpack_from(data, at)
        body = data[at + _HEAD.size : at + _HEAD.size + length]
        at += _HEAD.size + length
        if len(body) < length or (kind, checksum, length) == (0, 0, 0):
            return  # the run was killed while it wrote
        if zlib.crc32(body, zlib.crc32(bytes([kind]))) != checksum:
            raise Damaged(f"a record that ends at byte {at} has a wrong checksum")
        parts = body if kind in (_FULL, _FIRST) else parts + body
        if kind in (_FULL, _LAST):
            yield parts
