"""A method's manifest (docs/developers/methods.md), from its parsed TOML to values.

Texts stand in the manifest by language; a Manifest holds them in one, the reader's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from control_plane.domain.errors import MethodBroken, PresetUnknown
from control_plane.domain.estimates import Training
from control_plane.domain.names import LONGEST_NAME

LANGUAGES = frozenset({"en", "de", "zh"})

_DATA = frozenset({"default", "enum", "const", "values"})  # values of parameters: never texts, whatever their keys are


@dataclass(frozen=True)
class Input:
    """What a method is given to read."""

    name: str
    kind: str  # model | dataset
    accepts: tuple[str, ...]  # the forms of a model, the formats of a dataset
    required: bool
    held_out: bool  # of a dataset: whether it must have held-out rows
    display: str


@dataclass(frozen=True)
class Output:
    """What a method promises to leave behind."""

    name: str
    kind: str  # model | evaluation | prompt | file
    form: str  # of a model, else empty
    path: str  # relative to the output folder
    display: str
    source: str = ""  # the input that a model starts from, or that a prompt was tried on (`from`); empty: brought in
    dataset: str = ""  # the input with the rows that a model learnt from, a prompt was chosen by, or an evaluation asks
    candidate: str = ""  # of an evaluation: the model under test
    baseline: str = ""  # … and what it is compared with, if that is given


@dataclass(frozen=True)
class Preset:
    """Values that go together, to begin from; a parameter that it does not name has its default."""

    name: str
    display: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Resources:
    """The estimate that decides where a job fits."""

    memory_bytes: int
    memory_per_model_byte: float
    disk_bytes: int
    training: Training | None = None  # what a finer estimate follows from, where the model's sizes are known


@dataclass(frozen=True)
class Manifest:
    """What a method is, in one language."""

    name: str
    kind: str  # import | train | evaluate | export | search
    type: str
    entry: str
    platforms: tuple[str, ...]
    exclusive: bool
    network: bool
    display: str
    description: str
    inputs: Mapping[str, Input]
    parameters: Mapping[str, Any]  # JSON Schema of an object
    groups: Mapping[str, str]  # parameter group → its title
    resources: Resources
    outputs: Mapping[str, Output]
    presets: Mapping[str, Preset] = field(default_factory=dict)

    def with_preset(self, preset: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`parameters` over the values of a preset; without one, themselves. Raises PresetUnknown."""
        if preset and preset not in self.presets:
            raise PresetUnknown(method=self.name, preset=preset, known=list(self.presets))
        return dict(self.presets[preset].values if preset else {}) | dict(parameters)

    def complete(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """`parameters` with the default of each one that was left out and has one."""
        properties = self.parameters.get("properties", {})
        defaults = {name: schema["default"] for name, schema in properties.items() if "default" in schema}
        return defaults | dict(parameters)

    def warnings(self, parameters: Mapping[str, Any]) -> list[str]:
        """What the chosen values have as a consequence that somebody should know before the run (`x-warnings`)."""
        complete = self.complete(parameters)
        properties = self.parameters.get("properties", {})
        found = (schema.get("x-warnings", {}).get(key_of(complete.get(name))) for name, schema in properties.items())
        return [text for text in found if text]

    @property
    def subject(self) -> str:
        """The model input that a job is about: the one under test, or the one that its result starts from, or ""."""
        return next((one.candidate or one.source for one in self.outputs.values() if one.candidate or one.source), "")

    @property
    def lesson(self) -> str:
        """The dataset input that a model learns from, or ""."""
        return next((one.dataset for one in self.outputs.values() if one.kind == "model" and one.dataset), "")

    def title_after(self, source: str) -> str:
        """What a job is called that makes something of `source`, a dataset's or a model's name.

        A model that learns is called like its data, any other result like its model and what it is: `notes`,
        `notes-evaluation`, `notes-gguf`.
        """
        if self.lesson:
            return source[:LONGEST_NAME]
        kinds = [one.form or one.kind for one in self.outputs.values()]
        suffix = f"-{kinds[0]}" if kinds else ""
        if not suffix or source.endswith(suffix):  # made into another one of the same form
            suffix = f"-{self.name.partition('_')[0]}"
        return source[: LONGEST_NAME - len(suffix)] + suffix

    def memory_estimate(self, model_bytes: int) -> int:
        """Bytes of memory that a job needs whose model inputs' files have `model_bytes`."""
        return int(self.resources.memory_bytes + self.resources.memory_per_model_byte * model_bytes)


def parse(source: Mapping[str, Any], locale: str = "en") -> Manifest:
    """The values of a parsed method.toml, with its texts in `locale`. Raises MethodBroken naming what is wrong."""
    plain = in_language(source, locale)
    try:
        return _build(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise MethodBroken(method=source.get("name", "?"), problem=f"{type(problem).__name__}: {problem}") from problem


def taken_over(source: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """A parsed method.toml with each parameter that says `use = "name"` as the kit's parameters.toml has it.

    What the manifest says beside `use` comes before what is shared; the groups of its parameters come along, and what a
    preset of the kit's is called. Raises MethodBroken naming a parameter that the kit does not have.
    """
    source = _named_presets(source, shared)
    parameters = source.get("parameters")
    properties = parameters.get("properties") if isinstance(parameters, Mapping) else None
    if not isinstance(parameters, Mapping) or not isinstance(properties, Mapping):
        return dict(source)
    whole = {name: _whole(source, shared, name, one) for name, one in properties.items()}
    used = {one.get("x-group") for one in whole.values() if isinstance(one, Mapping)}
    groups = {name: group for name, group in shared.get("groups", {}).items() if name in used}
    return {**source, "parameters": {**parameters, "properties": whole}, "groups": groups | source.get("groups", {})}


def _named_presets(source: Mapping[str, Any], shared: Mapping[str, Any]) -> Mapping[str, Any]:
    presets, known = source.get("presets"), shared.get("presets", {})
    if not isinstance(presets, Mapping):
        return source
    named = {name: {**known.get(name, {}), **one} if isinstance(one, Mapping) else one for name, one in presets.items()}
    return {**source, "presets": named}


def with_checks(source: dict[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """A manifest whose lists of checks (`x-checks`) say which there are: the kit's checks.toml, as it is now."""
    properties = source["parameters"].get("properties", {})
    told = {name: {**one, "x-checks": known} if "x-checks" in one else one for name, one in properties.items()}
    return {**source, "parameters": {**source["parameters"], "properties": told}}


def schema_of_check(check: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a check as a JSON Schema of an object, as the kit reads them (kit/judging.py)."""
    parameters = check["parameters"]
    required = [name for name, one in parameters.items() if "default" not in one and "null" not in one["type"]]
    return {"type": "object", "properties": parameters, "required": required, "additionalProperties": False}


def _whole(source: Mapping[str, Any], shared: Mapping[str, Any], name: str, one: Any) -> Any:
    if not isinstance(one, Mapping) or "use" not in one:
        return one
    known = shared.get("parameters", {})
    if one["use"] not in known:
        problem = f"parameters.properties.{name}.use: the kit has no parameter {one['use']!r}"
        raise MethodBroken(method=source.get("name", "?"), problem=problem)
    return {**known[one["use"]], **{key: value for key, value in one.items() if key != "use"}}


def platforms(source: Mapping[str, Any], parameters: Mapping[str, Any]) -> frozenset[str]:
    """Where a job with these parameters can run, of a parsed method.toml: a value may need less than all platforms."""
    found = frozenset(source["platforms"])
    for name, schema in source["parameters"].get("properties", {}).items():
        needed = schema.get("x-platforms", {}).get(key_of(parameters.get(name)))
        found = found if needed is None else found & frozenset(needed)
    return found


def narrows(source: Mapping[str, Any]) -> bool:
    """Whether it depends on a method's parameters where it can run."""
    return any("x-platforms" in schema for schema in source["parameters"].get("properties", {}).values())


def key_of(value: Any) -> str:
    """A parameter's value as the key that stands for it in `x-warnings` and `x-platforms`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def in_language(value: Any, locale: str) -> Any:
    """`value` with each table of texts by language replaced by the text; English where the language lacks."""
    if isinstance(value, Mapping):
        if value.keys() <= LANGUAGES and "en" in value:
            return value.get(locale, value["en"])
        return {key: item if key in _DATA else in_language(item, locale) for key, item in value.items()}
    if isinstance(value, list):
        return [in_language(item, locale) for item in value]
    return value


def _build(plain: Mapping[str, Any]) -> Manifest:
    manifest = Manifest(
        name=plain["name"],
        kind=plain["kind"],
        type=plain["type"],
        entry=plain["entry"],
        platforms=tuple(plain["platforms"]),
        exclusive=plain.get("exclusive", True),
        network=plain.get("network", False),
        display=plain["display"],
        description=plain["description"],
        inputs={name: _input(name, table) for name, table in plain.get("inputs", {}).items()},
        parameters=plain["parameters"],
        groups={name: table["display"] for name, table in plain.get("groups", {}).items()},
        resources=Resources(
            memory_bytes=int(plain["resources"]["memory_bytes"]),
            memory_per_model_byte=float(plain["resources"]["memory_per_model_byte"]),
            disk_bytes=int(plain["resources"]["disk_bytes"]),
            training=Training(**plain["resources"]["training"]) if "training" in plain["resources"] else None,
        ),
        outputs={name: _output(name, table) for name, table in plain["outputs"].items()},
        presets={name: Preset(name, **table) for name, table in plain.get("presets", {}).items()},
    )
    for preset in manifest.presets.values():
        _check_preset(manifest, preset)
    for output in manifest.outputs.values():
        _check_edges(manifest, output)
    return manifest


def _check_preset(manifest: Manifest, preset: Preset) -> None:
    for name in preset.values:
        if name not in manifest.parameters.get("properties", {}):
            problem = f"presets.{preset.name}.values.{name}: the method has no such parameter"
            raise MethodBroken(method=manifest.name, problem=problem)


def _check_edges(manifest: Manifest, output: Output) -> None:
    """What an output says that it is made from are inputs of the right kind. Raises MethodBroken."""
    is_model, is_evaluation = output.kind == "model", output.kind == "evaluation"
    is_prompt = output.kind == "prompt"
    _check_edge(manifest, output, "from", output.source, "model", is_prompt or (is_model and manifest.kind != "import"))
    _check_edge(manifest, output, "candidate", output.candidate, "model", is_evaluation)
    _check_edge(manifest, output, "dataset", output.dataset, "dataset", is_evaluation or is_prompt)
    if output.baseline:
        _check_edge(manifest, output, "baseline", output.baseline, "model", False)
    if manifest.kind == "import" and output.source:
        raise _broken(manifest, output, "from", "what is brought in starts from no input")


def _check_edge(manifest: Manifest, output: Output, edge: str, name: str, kind: str, needed: bool) -> None:
    """An edge that is `needed` is there, and its input is one that every job has."""
    if not name and needed:
        raise _broken(manifest, output, edge, f"an input of kind {kind} has to be named")
    if name and (name not in manifest.inputs or manifest.inputs[name].kind != kind):
        raise _broken(manifest, output, edge, f"{name!r} is no input of kind {kind}")
    if needed and not manifest.inputs[name].required:
        raise _broken(manifest, output, edge, f"{name!r} may be left out, and the output needs it")


def _broken(manifest: Manifest, output: Output, edge: str, problem: str) -> MethodBroken:
    return MethodBroken(method=manifest.name, problem=f"outputs.{output.name}.{edge}: {problem}")


def _input(name: str, table: Mapping[str, Any]) -> Input:
    return Input(
        name=name,
        kind=table["kind"],
        accepts=tuple(table["forms" if table["kind"] == "model" else "formats"]),
        required=table.get("required", True),
        held_out=table.get("held_out", False),
        display=table["display"],
    )


def _output(name: str, table: Mapping[str, Any]) -> Output:
    return Output(
        name=name,
        kind=table["kind"],
        form=table.get("form", ""),
        path=table["path"],
        display=table["display"],
        source=table.get("from", ""),
        dataset=table.get("dataset", ""),
        candidate=table.get("candidate", ""),
        baseline=table.get("baseline", ""),
    )
