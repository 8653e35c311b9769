"""Where the machine's own pip configuration lies, for processes with another home or a part of the disk only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_FILES = (".config/pip/pip.conf", ".pip/pip.conf", "Library/Application Support/pip/pip.conf")
_SHARED = (Path("/etc/pip.conf"), Path("/etc/xdg/pip/pip.conf"))
_PATH = re.compile(r"(?:^|[\s='\"]|file://)(/[^\s'\"]+)")


def own_file(environment: Mapping[str, str]) -> Path | None:
    """The user's pip.conf, or None."""
    files = (Path(environment.get("HOME", "/")) / name for name in _FILES)
    return next((path for path in files if path.is_file()), None)


def cache(environment: Mapping[str, str]) -> Path:
    """pip's cache of downloads and of the wheels that it built."""
    named = environment.get("PIP_CACHE_DIR")
    return Path(named) if named else Path(environment.get("HOME", "/")) / ".cache" / "pip"


def places(environment: Mapping[str, str], options: str = "") -> list[Path]:
    """Existing files and folders that pip reads its configuration from, or that it names: wheel folders, certificates.

    `options` are further options of pip install.
    """
    files = [path for path in (own_file(environment), *_SHARED) if path is not None and path.is_file()]
    if (named := Path(environment.get("PIP_CONFIG_FILE", ""))).is_file():
        files.append(named)
    values = [value for name, value in environment.items() if name.startswith("PIP_") or name.endswith("_CA_BUNDLE")]
    texts = [*values, *(environment.get(name, "") for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")), options]
    texts += [path.read_text(errors="replace") for path in files]
    return sorted({*files, *(found for text in texts for found in _named(text))})


def _named(text: str) -> Iterator[Path]:
    for match in _PATH.finditer(text):
        path = Path(match[1])
        # /tmp or /home as a whole is never meant, and /dev/null could not be opened any more in a sandbox that shows it
        if len(path.parts) > 2 and (path.is_file() or path.is_dir()):
            yield path
