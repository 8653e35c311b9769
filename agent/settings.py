"""Every setting of the agent, in one documented list; the only reader of its environment.

Each field is the environment variable `TUNESMITH_AGENT_` + its name in upper case.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

PREFIX = "TUNESMITH_AGENT_"


def _setting(default: object, doc: str) -> object:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True)
class Settings:
    """Durations are seconds, sizes bytes."""

    data: Path = _setting(Path("~/.tunesmith/agent"), "Folder of identity, state, attempts, cache, environments")  # type: ignore[assignment]
    import_roots: str = _setting("", "Folders, separated as in PATH, that imports may read base models from")  # type: ignore[assignment]
    environments: str = _setting("", "Folder of the methods' environments; empty: in the data folder")  # type: ignore[assignment]
    pip_options: str = _setting("", "Further options of pip install, beside the machine's own pip configuration")  # type: ignore[assignment]
    cache_bytes: int = _setting(200_000_000_000, "Size of the cache of models and datasets beyond which the oldest go")  # type: ignore[assignment]
    memory_reserve_bytes: int = _setting(0, "Main memory that is left free for the machine's other uses")  # type: ignore[assignment]
    retry_first_seconds: float = _setting(0.2, "Longest wait before the first retry of a call")  # type: ignore[assignment]
    retry_max_seconds: float = _setting(60.0, "Longest wait before any retry of a call")  # type: ignore[assignment]
    call_seconds: float = _setting(30.0, "Deadline of one try of a call")  # type: ignore[assignment]
    gap_seconds: float = _setting(30.0, "A silence longer than this (sleep) is followed by a new Hello")  # type: ignore[assignment]
    tail_seconds: float = _setting(0.2, "How often the files of a running attempt are looked at")  # type: ignore[assignment]
    cancel_grace_seconds: float = _setting(30.0, "Between asking a trainer to end and ending it")  # type: ignore[assignment]
    keep_seconds: float = _setting(86_400.0, "How long the folders of fenced attempts are kept")  # type: ignore[assignment]
    engine_start_seconds: float = _setting(300.0, "How long a serving engine may take to load its model")  # type: ignore[assignment]
    engine_health_seconds: float = _setting(2.0, "How often a serving engine is asked for its health")  # type: ignore[assignment]
    engine_retry_first_seconds: float = _setting(1.0, "Wait before the first restart of a serving engine; it doubles")  # type: ignore[assignment]
    engine_retry_max_seconds: float = _setting(60.0, "Longest wait before a restart of a serving engine")  # type: ignore[assignment]
    engine_threads: int = _setting(0, "Threads of a serving engine; 0: one per physical core")  # type: ignore[assignment]
    engine_wheels: str = _setting("", "Folder of wheels of the serving engine, e.g. CUDA builds")  # type: ignore[assignment]
    inference_threads: int = _setting(64, "Inference requests that are answered at once")  # type: ignore[assignment]

    def resolved(self) -> Settings:
        """The same settings with the data folder made absolute."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Settings(**(values | {"data": self.data.expanduser().resolve()}))


class SettingInvalid(ValueError):
    """An environment variable does not parse; the message names it."""


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings from `environment` (default: the process's). Raises SettingInvalid."""
    source = inherited() if environment is None else environment
    values: dict[str, object] = {}
    for setting in fields(Settings):
        name = f"{PREFIX}{setting.name.upper()}"
        if name in source:
            values[setting.name] = _parse(name, source[name], setting.default)
    return Settings(**values).resolved()  # type: ignore[arg-type]


def inherited() -> dict[str, str]:
    """The environment that the agent was started with; trainers get a few allow-listed variables of it."""
    return dict(os.environ)


def _parse(name: str, text: str, default: object) -> object:
    try:
        return type(default)(text) if not isinstance(default, Path) else Path(text)  # type: ignore[call-arg]
    except ValueError as problem:
        raise SettingInvalid(f"{name}={text!r}: {problem}") from problem
