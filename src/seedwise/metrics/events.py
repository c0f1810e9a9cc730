"""The event files of TensorBoard: `events.out.tfevents…`.

Source: TensorFlow's TFRecord, and the messages of tensorflow/core/util/event.proto and framework/{summary,tensor}.proto,
whose numbers never change; what TensorBoard's `EventAccumulator` gives is the same, but for the values that it leaves out
of long runs.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .protobuf import Damaged, as_bytes, as_float, as_integer, as_text, fields

_WALL, _STEP, _SUMMARY = 1, 2, 5
_TAG, _SIMPLE, _TENSOR, _METADATA = 1, 2, 8, 9
_FORMS: Final = {1: "<f", 2: "<d", 19: "<e"}
"""DT_FLOAT, DT_DOUBLE and DT_HALF of tensorflow/core/framework/types.proto."""


@dataclass(frozen=True)
class Summary:
    """One value of an event. What is no scalar has no number; a plugin keeps what it needs in `content`."""

    wall: float
    step: int
    tag: str
    number: float | None
    plugin: str
    content: bytes


def summaries(data: bytes) -> Iterator[Summary]:
    """The values in an event file, in order, up to its end or to the first that was cut off.

    Raises
    ------
    Damaged
        The file does not begin as one of events, or a message in it is none.
    """
    for record in event_records(data):
        wall, step, held = 0.0, 0, []
        for number, value in fields(record):
            if number == _WALL:
                wall = as_float(value)
            elif number == _STEP:
                step = as_integer(value)
            elif number == _SUMMARY:
                held += [as_bytes(inner) for of, inner in fields(as_bytes(value)) if of == 1]
        for message in held:
            yield _summary(message, wall, step)


def event_records(data: bytes) -> Iterator[bytes]:
    """The records of a TFRecord file, up to its end or to the first that was cut off. (Checksums are not compared.)

    Raises
    ------
    Damaged
        Not even its first record is whole.
    """
    at = 0
    while at + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        body = data[at + 12 : at + 12 + length]
        if len(body) < length:
            break
        at += 16 + length
        yield body
    if data and not at:
        raise Damaged("it does not begin as a file of events")


def _summary(message: bytes, wall: float, step: int) -> Summary:
    tag, number, plugin, content = "", None, "", b""
    for of, value in fields(message):
        if of == _TAG:
            tag = as_text(value)
        elif of == _SIMPLE:
            number = as_float(value)
        elif of == _TENSOR:
            number = _of_tensor(as_bytes(value))
        elif of == _METADATA:
            plugin, content = _plugin(as_bytes(value))
    return Summary(wall, step, tag, number, plugin, content)


def _plugin(metadata: bytes) -> tuple[str, bytes]:
    name, content = "", b""
    for number, value in fields(metadata):
        if number == 1:
            for of, held in fields(as_bytes(value)):
                if of == 1:
                    name = as_text(held)
                elif of == 2:
                    content = as_bytes(held)
    return name, content


def _of_tensor(message: bytes) -> float | None:
    """The one number of a tensor of floats; None for anything else."""
    kind, content, floats, size = 0, b"", [], 1
    for number, value in fields(message):
        if number == 1:
            kind = as_integer(value)
        elif number == 2:
            for of, dimension in fields(as_bytes(value)):
                if of == 2:
                    size *= next((as_integer(n) for k, n in fields(as_bytes(dimension)) if k == 1), 0)
        elif number == 4:
            content = as_bytes(value)
        elif number in (5, 6):
            floats.append(as_bytes(value))
    form = _FORMS.get(kind)
    if form is None or size != 1:
        return None
    data = content or b"".join(floats)
    if len(data) != struct.calcsize(form):
        return None
    number_held: float = struct.unpack(form, data)[0]
    return number_held
