"""Passwords: argon2id, few at a time, because each hash takes 64 MiB and four cores."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from control_plane.domain.errors import FieldInvalid, PasswordTooShort, TooMany

MINIMUM, LONGEST = 10, 1_000  # characters; hashing takes time and memory

_AT_ONCE = 3
_WAIT_SECONDS = 5.0

_HASHER = PasswordHasher()
# checked in place of a password that does not exist, so that the time taken does not tell which names do
_NOBODYS = _HASHER.hash(secrets.token_urlsafe(16))
_places = threading.BoundedSemaphore(_AT_ONCE)


def check(password: str) -> None:
    """Raises PasswordTooShort, FieldInvalid for what may not become a password."""
    if len(password) < MINIMUM:
        raise PasswordTooShort(minimum=MINIMUM)
    if len(password) > LONGEST:
        raise FieldInvalid(field="password", problem=f"> {LONGEST}")


def hashed(password: str) -> str:
    """What is stored of a password. Raises TooMany."""
    with _place():
        return _HASHER.hash(password)


def matches(stored: str, password: str) -> bool:
    """Whether the password is the stored one; an empty `stored` takes as long and is False. Raises TooMany."""
    try:
        with _place():
            return len(password) <= LONGEST and _HASHER.verify(stored or _NOBODYS, password) and bool(stored)
    except (VerifyMismatchError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether what is stored was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


@contextmanager
def _place() -> Iterator[None]:
    """One of the few places in which a hash is made. Raises TooMany after a short wait."""
    if not _places.acquire(timeout=_WAIT_SECONDS):
        raise TooMany
    try:
        yield
    finally:
        _places.release()
