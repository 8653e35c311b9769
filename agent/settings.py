"""Every setting of the agent, in one documented list; the only reader of its environment.

Each field is the environment variable `TUNESMITH_AGENT_` + its name in upper case.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

PREFIX = "TUNESMITH_AGENT_"


class IsolationChoice(StrEnum):
    """Whether method code runs in a sandbox."""

    AUTO = "auto"
    REQUIRED = "required"
    OFF = "off"


class EngineChoice(StrEnum):
    """Which serving engine is used."""

    AUTO = "auto"
    XLLAMACPP = "xllamacpp"
    LLAMA_CPP = "llama_cpp"


class Installer(StrEnum):
    """What installs a method's requirements."""

    UV = "uv"
    PIP = "pip"


def _setting(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True)
class Settings:
    """Durations are seconds, sizes bytes."""

    data: Path = _setting(Path("~/.tunesmith/agent"), "Folder of identity, state, attempts, cache, environments")
    api_address: str = _setting("", "host:port for joining and recovery, where it has moved since; is remembered")
    fleet_address: str = _setting("", "host:port of the fleet link, where it has moved since; is remembered")
    import_roots: str = _setting("", "Folders, separated as in PATH, that imports may read base models from")
    environments: str = _setting("", "Folder of the methods' environments; empty: in the data folder")
    isolation: IsolationChoice = _setting(
        IsolationChoice.AUTO, "Sandbox for method code: auto (where it works), required, off"
    )
    approved_methods: str = _setting(
        "", "Hashes of the only method versions that are run here, separated by commas; empty: any"
    )
    readable_paths: str = _setting("", "Further folders, separated as in PATH, that sandboxed method code may read")
    installer: Installer = _setting(
        Installer.UV, "What installs a method's requirements: uv, and pip where uv cannot; or pip"
    )
    pip_options: str = _setting("", "Further options of pip install, beside the machine's own pip configuration")
    cache_bytes: int = _setting(200_000_000_000, "Size of the cache of models and datasets beyond which the oldest go")
    cache_keep_seconds: float = _setting(2_592_000.0, "Without a use for so long a cached model or dataset goes")
    environments_bytes: int = _setting(100_000_000_000, "Size of all environments beyond which the oldest go")
    environments_keep_seconds: float = _setting(2_592_000.0, "Without a use for so long an environment goes")
    garbage_seconds: float = _setting(3_600.0, "How often it is looked for what can go")
    memory_reserve_bytes: int = _setting(0, "Main memory that is left free for the machine's other uses")
    memory_share: float = _setting(
        0.5, "Share of main memory that an import, evaluation or packaging may take whatever its estimate is"
    )
    retry_first_seconds: float = _setting(0.2, "Longest wait before the first retry of a call")
    retry_max_seconds: float = _setting(60.0, "Longest wait before any retry of a call")
    faulty_tries: int = _setting(12, "Errors of the control plane itself after which a call of an attempt is given up")
    fault_tries: int = _setting(3, "Tries of a step of an attempt on errors that nobody foresaw; then the attempt ends")
    fault_first_seconds: float = _setting(5.0, "Wait before the second such try; it doubles")
    fault_max_seconds: float = _setting(60.0, "Longest wait before such a try")
    call_seconds: float = _setting(30.0, "Deadline of one try of a call")
    gap_seconds: float = _setting(30.0, "A silence longer than this (sleep) is followed by a new Hello")
    tail_seconds: float = _setting(0.2, "How often the files of a running attempt are looked at")
    cancel_grace_seconds: float = _setting(30.0, "Between asking a trainer to end and ending it")
    keep_seconds: float = _setting(86_400.0, "How long the folders of fenced attempts are kept")
    engine: EngineChoice = _setting(
        EngineChoice.AUTO, "Serving engine: xllamacpp, llama_cpp, or auto: llama_cpp where the other has no wheel"
    )
    engine_start_seconds: float = _setting(300.0, "How long a serving engine may take to load its model")
    engine_health_seconds: float = _setting(2.0, "How often a serving engine is asked for its health")
    engine_retry_first_seconds: float = _setting(1.0, "Wait before the first restart of a serving engine; it doubles")
    engine_retry_max_seconds: float = _setting(60.0, "Longest wait before a restart of a serving engine")
    engine_threads: int = _setting(0, "Threads of a serving engine; 0: one per physical core")
    engine_wheels: str = _setting("", "Folder of wheels of the serving engine, e.g. CUDA builds")
    metrics_port: int = _setting(0, "Loopback port of /healthz, /readyz and /metrics; 0: none")
    inference_requests: int = _setting(64, "Inference requests that are answered at once")

    def resolved(self) -> Settings:
        """The same settings with the data folder made absolute."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Settings(**(values | {"data": self.data.expanduser().resolve()}))


class SettingInvalid(ValueError):
    """An environment variable does not parse; the message names it."""


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings from `environment` (default: the process's). Raises SettingInvalid."""
    source = inherited() if environment is None else environment
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = f"{PREFIX}{setting.name.upper()}"
        if name in source:
            values[setting.name] = _parse(name, source[name], setting.default)
    return Settings(**values).resolved()


def inherited() -> dict[str, str]:
    """The environment that the agent was started with; trainers get a few allow-listed variables of it."""
    return dict(os.environ)


def folders(listed: str) -> list[Path]:
    """The folders of a setting that holds them separated as in PATH."""
    return [Path(part).expanduser() for part in listed.split(os.pathsep) if part]


def _parse(name: str, text: str, default: Any) -> Any:
    kind = Path if isinstance(default, Path) else type(default)
    try:
        return kind(text)
    except ValueError as problem:
        said = f"one of {', '.join(type(default))}" if isinstance(default, StrEnum) else str(problem)
        raise SettingInvalid(f"{name}={text!r}: {said}") from problem
