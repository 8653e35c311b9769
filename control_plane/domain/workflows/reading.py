"""Reads a workflow's spec out of plain data; what does not fit is refused with its place and line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from control_plane.domain.errors import (
    NameInvalid,
    WorkflowInvalid,
    WorkflowKeyMissing,
    WorkflowKeyUnknown,
    WorkflowReferenceUnknown,
    WorkflowStepTwice,
    WorkflowStepUnknown,
    WorkflowTooLarge,
    WorkflowValueUnfit,
)
from control_plane.domain.graph import DATA, KINDS
from control_plane.domain.names import LONGEST_DESCRIPTION, LONGEST_TITLE, checked
from control_plane.domain.workflows.gates import VERDICTS
from control_plane.domain.workflows.spec import (
    ANY,
    BOOLEAN,
    INFRASTRUCTURE,
    INTEGER,
    KEYS,
    MOST_GATES,
    MOST_PARAMETERS,
    MOST_RETRIES,
    MOST_STEPS,
    MOST_VARIANTS,
    NUMBER,
    REFERENCE,
    STEP_NAME,
    STRING,
    TYPES,
    Lines,
    Path,
    RunParameter,
    Spec,
    in_order,
    is_a,
    printable,
    references,
)


def parse(data: Any, lines: Lines = lambda path: 0) -> Spec:
    """The spec that plain data (of YAML, JSON or TOML) holds. Raises WorkflowInvalid and what is below it."""
    reader = _Reader(lines)
    table = reader.table(data, (), KEYS["workflow"])
    name = reader.name(table)
    parameters = {
        key: reader.parameter(key, one, ("parameters", key))
        for key, one in reader.named(table.get("parameters"), ("parameters",), MOST_PARAMETERS).items()
    }
    matrix = {
        key: reader.axis(one, ("matrix", key), key in parameters)
        for key, one in reader.named(table.get("matrix"), ("matrix",), MOST_PARAMETERS).items()
    }
    if prod(map(len, matrix.values())) > MOST_VARIANTS:
        raise WorkflowTooLarge(what="matrix", most=MOST_VARIANTS)
    steps = reader.steps(table.get("steps"), parameters, matrix)
    return Spec(
        name=name,
        title=reader.text(table, "title", (), LONGEST_TITLE),
        description=reader.text(table, "description", (), LONGEST_DESCRIPTION),
        case=reader.text(table, "case", (), 64),
        parameters=parameters,
        matrix=matrix,
        steps=steps,
    )


class _Reader:
    """Takes the parts of a spec out of plain data; what does not fit is refused with its place and line."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._names: dict[int, str] = {}  # of the steps, for places

    def wrong(self, kind: type[WorkflowInvalid], path: Path, **params: object) -> WorkflowInvalid:
        return kind(line=self._lines(path), place=self._place(path), **params)

    def table(self, value: Any, path: Path, known: Sequence[str]) -> Mapping[str, Any]:
        """A table with none but the known keys."""
        if not isinstance(value, Mapping):
            raise self.wrong(WorkflowValueUnfit, path, wanted=", ".join(known))
        for key in value:
            if key not in known:
                raise self.wrong(WorkflowKeyUnknown, (*path, key), known=", ".join(known))
        return value

    def named(self, value: Any, path: Path, most: int) -> Mapping[str, Any]:
        """A table whose keys are names of its author's."""
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise self.wrong(WorkflowValueUnfit, path, wanted="name: …")
        if len(value) > most:
            raise WorkflowTooLarge(what=self._place(path), most=most)
        for key in value:
            if not isinstance(key, str) or not STEP_NAME.fullmatch(key):
                raise self.wrong(WorkflowValueUnfit, (*path, key), wanted="a-z 0-9 _")
        return value

    def text(self, table: Mapping[str, Any], key: str, path: Path, longest: int) -> str:
        value = table.get(key, "")
        if not isinstance(value, str) or len(value) > longest or not printable(value):
            raise self.wrong(WorkflowValueUnfit, (*path, key), wanted=f"string ≤ {longest}")
        return value

    def name(self, table: Mapping[str, Any]) -> str:
        if "name" not in table:
            raise self.wrong(WorkflowKeyMissing, (), key="name")
        try:
            return checked(table["name"] if isinstance(table["name"], str) else "")
        except NameInvalid as problem:
            raise self.wrong(WorkflowValueUnfit, ("name",), wanted="a-z 0-9 . _ - ≤ 64") from problem

    def parameter(self, name: str, value: Any, path: Path) -> RunParameter:
        table = self.table(value, path, KEYS["parameter"])
        kind = table.get("type")
        if kind not in TYPES:
            raise self.wrong(WorkflowValueUnfit, (*path, "type"), wanted=", ".join(TYPES))
        choices = table.get("choices", [])
        if not isinstance(choices, list) or len(choices) > 100 or not all(is_a(one, kind) for one in choices):
            raise self.wrong(WorkflowValueUnfit, (*path, "choices"), wanted=f"[{kind}]")
        for end in ("minimum", "maximum"):
            if end in table and (kind not in (INTEGER, NUMBER) or not is_a(table[end], NUMBER)):
                raise self.wrong(WorkflowValueUnfit, (*path, end), wanted=NUMBER)
        found = RunParameter(
            name=name,
            type=kind,
            title=self.text(table, "title", path, LONGEST_TITLE),
            default=table.get("default"),
            choices=tuple(choices),
            minimum=table.get("minimum"),
            maximum=table.get("maximum"),
        )
        if found.default is not None and not (found.takes(found.default) and self._plain(found.default)):
            raise self.wrong(WorkflowValueUnfit, (*path, "default"), wanted=found.wanted())
        return found

    def axis(self, value: Any, path: Path, taken: bool) -> tuple[Any, ...]:
        if taken:
            raise self.wrong(WorkflowStepTwice, path, name=path[-1])
        if not isinstance(value, list) or not value or not all(self._plain(one) for one in value):
            raise self.wrong(WorkflowValueUnfit, path, wanted="[…]")
        return tuple(value)

    def steps(self, value: Any, parameters: Mapping[str, Any], matrix: Mapping[str, Any]) -> tuple[Any, ...]:
        if not isinstance(value, list) or not value:
            raise self.wrong(WorkflowKeyMissing, (), key="steps")
        if len(value) > MOST_STEPS:
            raise WorkflowTooLarge(what="steps", most=MOST_STEPS)
        self._names = {at: str(one.get("name", ""))[:40] for at, one in enumerate(value) if isinstance(one, Mapping)}
        found = tuple(self.step(one, ("steps", at), parameters, matrix) for at, one in enumerate(value))
        names = [step["name"] for step in found]
        for at, step in enumerate(found):
            if step["name"] in names[:at]:
                raise self.wrong(WorkflowStepTwice, ("steps", at, "name"), name=step["name"])
            self._check_edges(step, ("steps", at), names)
        in_order(found)
        return found

    def step(
        self, value: Any, path: Path, parameters: Mapping[str, Any], matrix: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        table = self.table(value, path, KEYS["step"])
        if not isinstance(table.get("name"), str) or not STEP_NAME.fullmatch(table["name"]):
            raise self.wrong(WorkflowValueUnfit, (*path, "name"), wanted="name: a-z 0-9 _ ≤ 28")
        if bool(table.get("method")) == bool(table.get("kind")):
            raise self.wrong(WorkflowKeyMissing, path, key="method | kind")
        if "kind" in table and table["kind"] not in KINDS:
            raise self.wrong(WorkflowValueUnfit, (*path, "kind"), wanted=", ".join(KINDS))
        if table.get("dataset") and table.get("kind") != DATA:
            raise self.wrong(WorkflowValueUnfit, (*path, "dataset"), wanted=f"kind: {DATA}")
        told = {key: self.text(table, key, path, LONGEST_TITLE) for key in ("method", "title", "dataset", "best")}
        told |= {"kind": table.get("kind", "")}
        tables = {
            "inputs": self.edges(table.get("inputs"), (*path, "inputs")),
            "parameters": self.values(table.get("parameters"), (*path, "parameters")),
            "from_data": self.texts(table.get("from_data"), (*path, "from_data")),
            "gate": self.gates(table.get("gate"), (*path, "gate")),
            "retry": self.retry(table.get("retry"), (*path, "retry")),
            "when": self.when(table.get("when"), (*path, "when"), parameters),
        }
        found = {"name": table["name"]} | {key: one for key, one in (told | tables).items() if one}
        self._check_references(found, path, [*parameters, *matrix])
        return found

    def edges(self, value: Any, path: Path) -> dict[str, str]:
        found = self.texts(value, path)
        for key, text in found.items():
            self._edge(text, (*path, key))
        return found

    def texts(self, value: Any, path: Path) -> dict[str, str]:
        found = self.values(value, path)
        for key, text in found.items():
            if not isinstance(text, str):
                raise self.wrong(WorkflowValueUnfit, (*path, key), wanted=STRING)
        return found

    def values(self, value: Any, path: Path) -> dict[str, Any]:
        """A table of a method's names with any values."""
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(isinstance(key, str) and printable(key) for key in value):
            raise self.wrong(WorkflowValueUnfit, path, wanted="name: …")
        for key, one in value.items():
            if not self._plain(one):
                raise self.wrong(WorkflowValueUnfit, (*path, key), wanted="JSON")
        return dict(value)

    def gates(self, value: Any, path: Path) -> list[dict[str, Any]]:
        if value is None:
            return []
        listed = [(value, path)]
        if isinstance(value, list):
            listed = [(one, (*path, at)) for at, one in enumerate(value)]
        if len(listed) > MOST_GATES:
            raise WorkflowTooLarge(what=self._place(path), most=MOST_GATES)
        return [self.gate(one, where) for one, where in listed]

    def gate(self, value: Any, path: Path) -> dict[str, Any]:
        table = self.table(value, path, KEYS["gate"])
        self._edge(table.get("evaluation"), (*path, "evaluation"))
        wanted: Mapping[str, tuple[bool, str]] = {
            "verdict": (table.get("verdict", "") in ("", *VERDICTS), ", ".join(VERDICTS)),
            "metric": (isinstance(table.get("metric", ""), str), STRING),
            "at_least": (is_a(table.get("at_least", 0), NUMBER), NUMBER),
            "margin": (is_a(table.get("margin", 0), NUMBER), NUMBER),
            "certain": (isinstance(table.get("certain", False), bool), BOOLEAN),
        }
        for key, (fits, words) in wanted.items():
            if not fits and not (isinstance(table[key], str) and REFERENCE.fullmatch(table[key])):
                raise self.wrong(WorkflowValueUnfit, (*path, key), wanted=words)
        if not {"verdict", "at_least", "margin", "certain"}.intersection(table):
            raise self.wrong(WorkflowKeyMissing, path, key="verdict | at_least | margin | certain")
        return {key: table[key] for key in KEYS["gate"] if key in table and table[key] not in ("", None, False)} | {
            key: table[key] for key in ("at_least", "margin") if key in table
        }

    def retry(self, value: Any, path: Path) -> dict[str, Any]:
        if value is None:
            return {}
        table = self.table(value, path, KEYS["retry"])
        times, after = table.get("times", 1), table.get("after", INFRASTRUCTURE)
        if not is_a(times, INTEGER) or not 1 <= times <= MOST_RETRIES:
            raise self.wrong(WorkflowValueUnfit, (*path, "times"), wanted=f"1 … {MOST_RETRIES}")
        if after not in (INFRASTRUCTURE, ANY):
            raise self.wrong(WorkflowValueUnfit, (*path, "after"), wanted=f"{INFRASTRUCTURE}, {ANY}")
        return {"times": times, "after": after}

    def when(self, value: Any, path: Path, parameters: Mapping[str, Any]) -> dict[str, list[Any]]:
        found = {}
        for name, one in self.values(value, path).items():
            if name not in parameters:
                raise self.wrong(WorkflowReferenceUnknown, (*path, name), name=name)
            found[name] = one if isinstance(one, list) else [one]
            for given in found[name]:
                if not is_a(given, parameters[name].type):
                    raise self.wrong(WorkflowValueUnfit, (*path, name), wanted=parameters[name].wanted())
        return found

    def _check_edges(self, step: Mapping[str, Any], path: Path, names: Sequence[str]) -> None:
        named = {(*path, "inputs", key): text for key, text in step.get("inputs", {}).items()}
        named |= {(*path, "gate", "evaluation"): one["evaluation"] for one in step.get("gate", ())}
        named |= {(*path, "best"): step["best"]} if "best" in step else {}
        for where, text in named.items():
            if (other := self._edge(text, where)) not in names:
                raise self.wrong(WorkflowStepUnknown, where, step=other)

    def _edge(self, text: Any, path: Path) -> str:
        step, dot, output = text.partition(".") if isinstance(text, str) else ("", "", "")
        if not (step and dot and output):
            raise self.wrong(WorkflowValueUnfit, path, wanted="step.output")
        return str(step)

    def _check_references(self, step: Mapping[str, Any], path: Path, known: Sequence[str]) -> None:
        for key, value in step.items():
            for name in references(value):
                if name not in known:
                    raise self.wrong(WorkflowReferenceUnknown, (*path, key), name=name)

    def _plain(self, value: Any) -> bool:
        """Whether JSON, and PostgreSQL, can hold it."""
        if isinstance(value, str):
            return printable(value)
        if isinstance(value, Mapping):
            return all(isinstance(key, str) and printable(key) and self._plain(one) for key, one in value.items())
        if isinstance(value, list):
            return all(self._plain(one) for one in value)
        return value is None or isinstance(value, bool) or is_a(value, NUMBER)

    def _place(self, path: Path) -> str:
        """`steps.train.gate.metric`, or the workflow itself."""
        named = [
            self._names.get(part, str(part))
            if at == 1 and path[0] == "steps" and isinstance(part, int)
            else str(part)[:40]
            for at, part in enumerate(path)
        ]
        return ".".join(named) or "workflow"
