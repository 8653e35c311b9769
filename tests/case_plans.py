"""The plans of the shipped cases (`case.toml`) carried out by hand: each step's method, without a control plane."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from control_plane.domain import graph, manifest
from control_plane.domain.graph import DATA, Graph, Step
from control_plane.domain.manifest import Manifest

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "control_plane" / "cases").glob("*/case.toml"))
Job = dict[str, Any]


@dataclass
class CasePlan:
    """A case's plan with the manifests of the methods that it names."""

    folder: Path
    source: dict[str, Any]
    manifests: dict[str, Manifest]
    steps: Graph

    @property
    def dataset(self) -> dict[str, Any]:
        """The sample data as a job's input."""
        data = self.source["dataset"]
        files = {part: str(self.folder / data[part]) for part in ("train", "test")}
        return {"kind": "dataset", "format": data["format"], **files}

    def of_kind(self, kind: str) -> list[Step]:
        """The steps of a kind: import, train, evaluate, export …"""
        return [step for step in self.steps if step.kind == kind]


@dataclass
class Course:
    """Carries a plan out, one job for each step: `run` carries out a job of a method in a folder."""

    plan: CasePlan
    folder: Path
    run: Callable[[str, Job, Path], Any]
    fixed: Mapping[str, Any]  # what each job has beside its parameters and inputs
    changes: Mapping[str, Any] = field(default_factory=dict)  # of parameters, for each step that has them
    made: dict[str, Any] = field(default_factory=dict)  # output (`train.model`) → what a job is given of it

    def carry_out(self, *kinds: str) -> None:
        """Run the steps of these kinds in their order; of a step before that did not run, `made` says what it made."""
        for step in self.plan.steps:
            if step.kind == DATA:
                self.made[f"{step.name}.dataset"] = self.plan.dataset
            elif step.kind in kinds:
                self._run(step)

    def evaluation(self) -> dict[str, Any]:
        """What the plan's last evaluation found."""
        step = self.plan.of_kind("evaluate")[-1]
        found: dict[str, Any] = json.loads((self.folder / step.name / "evaluation.json").read_text(encoding="utf-8"))
        return found

    def _run(self, step: Step) -> None:
        method, out = self.plan.manifests[step.method], self.folder / step.name
        given = {name: self.made[str(edge)] for name, edge in step.inputs.items()}
        whole = method.complete(step.parameters)
        parameters = whole | {name: value for name, value in self.changes.items() if name in whole}
        self.run(step.method, {**self.fixed, "method": step.method, "parameters": parameters, "inputs": given}, out)
        for name, output in method.outputs.items():
            if output.kind == "model":
                model = {"kind": "model", "form": output.form, "path": str(out / output.path)}
                self.made[f"{step.name}.{name}"] = model | (
                    {"base": given[output.source]} if output.form == "adapter" else {}
                )


def read(folder: Path) -> CasePlan:
    """The plan in a case's folder; raises what `graph.build` does."""
    source = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    shared = tomllib.loads((ROOT / "methods/kit/parameters.toml").read_text(encoding="utf-8"))
    manifests = {}
    for name in graph.methods_of(source["steps"]):
        text = tomllib.loads((ROOT / "methods" / name / "method.toml").read_text(encoding="utf-8"))
        manifests[name] = manifest.parse(manifest.taken_over(text, shared))
    return CasePlan(folder, source, manifests, graph.build(source["steps"], manifests))


def rows(folder: Path, file: str) -> list[dict[str, Any]]:
    """The rows of a file of a case."""
    return [json.loads(line) for line in (folder / file).read_text(encoding="utf-8").splitlines()]
