"""uv in pip's place, with the machine's pip configuration: uv does not read it, so it is said in uv's words.

What uv has no word for is left to pip. The reasons: docs/developers/adr/0023-uv-builds-environments.md.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"(global|install|:env:)\.([a-z-]+)=(.*)")
_SECTIONS = ("global", "install", ":env:")  # the later, the stronger
_VARIABLES = {
    "cert": ("SSL_CERT_FILE",),
    "proxy": ("HTTP_PROXY", "HTTPS_PROXY"),
    "timeout": ("UV_HTTP_TIMEOUT",),
    "default-timeout": ("UV_HTTP_TIMEOUT",),
}
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # pip's library for HTTP takes them, uv does not
_FILED = {"index-url", "extra-index-url", "find-links", "no-cache-dir", "no-index", "trusted-host", "constraint"}
_MOOT = {
    "break-system-packages", "cache-dir", "config-file", "disable-pip-version-check", "no-color", "no-input",
    "no-python-version-warning", "no-warn-script-location", "progress-bar", "quiet", "require-virtualenv", "retries",
    "root-user-action", "verbose",
}  # fmt: skip
_TRUE = ("1", "true", "yes", "on", "y", "t")


class Untranslatable(Exception):
    """uv cannot be told what pip is told; the message says why."""


@dataclass(frozen=True)
class Configuration:
    """What uv is told: text of its configuration file (perhaps with passwords), variables, files of constraints."""

    toml: str
    variables: dict[str, str]
    constraints: list[str]


def binary() -> str | None:
    """Where uv is, or None."""
    try:
        from uv import find_uv_bin  # comes with the agent, but not on each platform

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        return None


def configuration(pip_config_list: str, environment: Mapping[str, str]) -> Configuration:
    """uv's words for what `pip config list` says in this environment. Raises Untranslatable."""
    said = _options(pip_config_list)
    unknown = said.keys() - _VARIABLES.keys() - _FILED - _MOOT
    if unknown:
        raise Untranslatable(f"it has no word for pip's {', '.join(sorted(unknown))}")
    bundles = [environment[name] for name in _BUNDLES if environment.get(name)]
    variables = {"SSL_CERT_FILE": bundles[0]} if bundles else {}
    variables |= {variable: said[name] for name, those in _VARIABLES.items() if name in said for variable in those}
    return Configuration(_toml(said), variables, said.get("constraint", "").split())


def _options(pip_config_list: str) -> dict[str, str]:
    """Each option with its value, where the stronger section says it: pip replaces, it does not append."""
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in pip_config_list.splitlines():
        if match := _LINE.fullmatch(line):
            section, name, value = match.groups()
            found[section][name] = str(ast.literal_eval(value))
    return found["global"] | found["install"] | found[":env:"]


def _toml(said: dict[str, str]) -> str:
    # pip takes the best version of all indexes; uv by itself asks the first that has the package
    lines = ['index-strategy = "unsafe-best-match"', "system-certs = true"]
    for name, word in (("no-index", "no-index"), ("no-cache-dir", "no-cache")):
        if said.get(name, "").lower() in _TRUE:
            lines.append(f"{word} = true")
    lines.append(f"find-links = {json.dumps(_there(said.get('find-links', '')))}")
    lines.append(f"allow-insecure-host = {json.dumps(said.get('trusted-host', '').split())}")
    for url in _there(said.get("extra-index-url", "")):
        lines.append(f"[[index]]\nurl = {json.dumps(url)}")
    for url in _there(said.get("index-url", "")):
        lines.append(f"[[index]]\nurl = {json.dumps(url)}\ndefault = true")
    return "\n".join(lines) + "\n"


def _there(places: str) -> list[str]:
    """Without folders that do not exist: pip warns of them and goes on, uv ends."""
    return [place for place in places.split() if _is_remote(place) or Path(place.removeprefix("file://")).exists()]


def _is_remote(place: str) -> bool:
    return "://" in place and not place.startswith("file://")
