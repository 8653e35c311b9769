"""Staying small: glibc keeps what the buffers of a transfer took, in an arena per thread, unless it is told not to."""

from __future__ import annotations

import ctypes
from functools import cache

_ARENA_MAX = -8  # a name of mallopt(3)
_ARENAS = 2


def be_frugal() -> None:
    """Set up the allocator, once and early. Nothing happens where the C library is not glibc."""
    library = _glibc()
    if library is not None:
        library.mallopt(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return what is free to the system, after a transfer; takes a few milliseconds."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
