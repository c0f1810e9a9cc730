"""A digest of a tensor."""

from __future__ import annotations

from typing import Any
from zlib import crc32


def digest(tensor: Any, start: int = 0) -> int:
    """crc32 of the bytes of a tensor's values, in order."""
    tensor = tensor.detach()
    if tensor.device.type != "cpu":
        tensor = tensor.cpu()
    if not tensor.is_contiguous():
        tensor = tensor.contiguous()
    size = tensor.numel() * tensor.element_size()
    if not size:
        return start
    import ctypes

    found: int = crc32(
        (ctypes.c_char * size).from_address(tensor.data_ptr()), start
    )  # the tensor lives until its bytes have been read
    return found
