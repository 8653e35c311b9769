"""Secrets are covered before a log leaves the machine, by as many bytes as they have: offsets stay true."""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKENS = rb"ts[kj]_[A-Za-z0-9_.\-]{8,}"
_IN_ADDRESSES = rb"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # user:password of a package index or proxy
_SECRET_NAME = re.compile(r"_(TOKEN|KEY|PASSWORD|SECRET)$")
_SHORTEST = 8  # shorter values ("true", "1") are no secrets and would riddle the log


class Mask:
    """Covers Tunesmith tokens, passwords in addresses, and the given secrets, byte for byte."""

    def __init__(self, secrets: list[str]) -> None:
        values = sorted({value.encode() for value in secrets if len(value) >= _SHORTEST}, key=len, reverse=True)
        self._pattern = re.compile(b"|".join([*map(re.escape, values), _TOKENS, _IN_ADDRESSES]))

    def cover(self, line: bytes) -> bytes:
        """The line, each secret in it replaced by as many asterisks."""
        return self._pattern.sub(lambda match: b"*" * len(match[0]), line)


def secrets_of(environment: Mapping[str, str], key_path: str) -> list[str]:
    """The values of variables that are named like secrets, and where the machine's key lies."""
    return [value for name, value in environment.items() if _SECRET_NAME.search(name.upper())] + [key_path]
