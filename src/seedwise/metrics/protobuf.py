"""The fields of a protobuf message.

Source: the wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding). Messages that tools stored stay as
they are, while the modules of these tools that read them come and go with their versions.
"""

import struct
from collections.abc import Iterator

Field = tuple[int, int | bytes]
"""The number of a field, and what it holds: an integer, or bytes (text, a message, a float in 4 or 8 bytes)."""


class Damaged(ValueError):
    """The bytes are no such record."""


def fields(message: bytes) -> Iterator[Field]:
    """The fields of a message, in order. Raises Damaged."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == 2:
            length, at = _varint(message, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise Damaged(f"a field of kind {kind}")
        if at + length > len(message):
            raise Damaged("a field is longer than its message")
        yield number, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 70:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise Damaged("a number has no end")


def as_bytes(value: int | bytes) -> bytes:
    """What a field of text, bytes or a message holds. Raises Damaged."""
    if isinstance(value, int):
        raise Damaged("a number where a text was expected")
    return value


def as_text(value: int | bytes) -> str:
    """What a field of text holds."""
    return as_bytes(value).decode("utf-8", "replace")


def as_integer(value: int | bytes) -> int:
    """What a field of 64 bits holds, with its sign. Raises Damaged."""
    if not isinstance(value, int):
        raise Damaged("a text where a number was expected")
    return value - (1 << 64) if value >= 1 << 63 else value


def as_float(value: int | bytes) -> float:
    """What a field of 4 or 8 bytes holds. Raises Damaged."""
    data = as_bytes(value)
    if len(data) not in (4, 8):
        raise Damaged("a float has 4 or 8 bytes")
    number: float = struct.unpack("<f" if len(data) == 4 else "<d", data)[0]
    return number
