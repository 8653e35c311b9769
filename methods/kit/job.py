"""The job file: what a method was asked to do, with its paths made absolute."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kit.events import fail

ON_A_MODEL = ("adapter", "reward")  # forms that are small additions to another model


@dataclass(frozen=True)
class Model:
    """A model input. ``form`` is base, adapter, merged, gguf or reward; adapter and reward have a ``base``."""

    form: str
    path: Path
    base: "Model | None" = None


@dataclass(frozen=True)
class Dataset:
    """A dataset input: its row format and the files of its two parts (``test`` may be missing)."""

    format: str
    train: Path | None
    test: Path | None


@dataclass(frozen=True)
class Job:
    """A job file. ``parameters`` are complete; ``threads`` is the number of CPU threads to use."""

    method: str
    parameters: dict[str, Any]
    models: dict[str, Model]
    datasets: dict[str, Dataset]
    seed: int
    devices: tuple[str, ...]
    threads: int
    reward: Any
    resume: Path | None


def read(path: Path) -> Job:
    """Read a job file; relative paths in it are relative to its folder.

    Refuses with ``job_unreadable`` or ``job_invalid`` (naming the field) and ``input_missing`` (naming the path).
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        fail("job_unreadable", f"The job file {path} cannot be read: {error}", path=str(path), reason=str(error))
    if not isinstance(raw, dict):
        _invalid("job", "an object")
    folder = path.resolve().parent
    inputs = _field(raw, "inputs", dict, {})
    devices = _field(raw, "devices", list, ["cpu:0"])
    resume = _field(raw, "resume", (str, type(None)), None)
    return Job(
        method=_field(raw, "method", str),
        parameters=_field(raw, "parameters", dict, {}),
        models={name: _model(folder, name, value) for name, value in inputs.items() if _kind(name, value) == "model"},
        datasets={name: _dataset(folder, name, value) for name, value in inputs.items() if value["kind"] == "dataset"},
        seed=_field(raw, "seed", int, 0),
        devices=tuple(str(device) for device in devices),
        threads=max(1, _field(raw, "threads", int, 1)),
        reward=raw.get("reward"),
        resume=None if resume is None else _existing(folder, "resume", resume),
    )


_REQUIRED = object()


def _field(raw: dict[str, Any], name: str, kind: Any, default: Any = _REQUIRED, place: str = "") -> Any:
    value = raw.get(name, default)
    if value is _REQUIRED or not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        _invalid(place + name, " or ".join(one.__name__ for one in kinds))
    return value


def _invalid(field: str, expected: str) -> Any:
    fail("job_invalid", f"The job file's field {field} must be {expected}.", field=field, expected=expected)


def _kind(name: str, value: Any) -> str:
    if not isinstance(value, dict) or value.get("kind") not in ("model", "dataset"):
        _invalid(f"inputs.{name}.kind", "model or dataset")
    return str(value["kind"])


def _existing(folder: Path, field: str, value: str) -> Path:
    path = (folder / value).resolve()
    if not path.exists():
        fail("input_missing", f"The path of {field} does not exist: {path}", input=field, path=str(path))
    return path


def _model(folder: Path, name: str, value: dict[str, Any]) -> Model:
    place = f"inputs.{name}."
    form = _field(value, "form", str, place=place)
    path = _existing(folder, place + "path", _field(value, "path", str, place=place))
    if form not in ON_A_MODEL:
        return Model(form, path)
    return Model(form, path, _model(folder, f"{name}.base", _field(value, "base", dict, place=place)))


def _dataset(folder: Path, name: str, value: dict[str, Any]) -> Dataset:
    place = f"inputs.{name}."
    parts = {part: _field(value, part, (str, type(None)), None, place) for part in ("train", "test")}
    paths = {part: None if text is None else _existing(folder, place + part, text) for part, text in parts.items()}
    return Dataset(_field(value, "format", str, place=place), paths["train"], paths["test"])
