"""Each shipped case on the tiny model: every step of its plan up to the package, with the case's data and checks."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import case_plans
import jsonschema
import pytest
from case_plans import FOLDERS, Course
from training_support import base

from method_environments import method_python
from method_support import Outcome

ROWS = 4
# so little of each that a case takes seconds; the tiny model writes a letter or two where others write a word
SMALL = {"steps": 2, "batch_size": 2, "prompts_per_step": 1, "group_size": 2, "rows": ROWS, "max_new_tokens": 8,
         "max_length": 4096, "held_out_rows": 2}  # fmt: skip
FIXED = {"seed": 7, "devices": ["cpu:0"], "threads": 1, "reward": None, "resume": None}

each_case = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


@each_case
def test_a_plan_fits_the_methods_that_it_names_and_is_said_in_three_languages(folder: Path) -> None:
    plan = case_plans.read(folder)
    assert plan.source["name"] == folder.name
    kinds = [step.kind for step in plan.steps]
    assert (kinds[0], kinds[-3:]) == ("data", ["evaluate", "export", "deploy"])
    for step in plan.steps:
        if step.method:
            jsonschema.Draft202012Validator(plan.manifests[step.method].parameters).validate(dict(step.parameters))
    (export,) = plan.of_kind("export")
    assert [gate.verdict for gate in export.gates] == ["better"]
    for text in (plan.source["display"], plan.source["domain_display"], *plan.source["story"].values()):
        assert set(text) == {"en", "de", "zh"} and all(text.values())
    assert {"problem", "need", "result", "duration"} <= set(plan.source["story"])


@pytest.mark.torch
@each_case
def test_a_plan_runs_from_data_to_package(
    folder: Path, tiny: Path, tmp_path: Path, run: Callable[..., Outcome]
) -> None:
    """The tiny model stands for what the import would bring."""

    def job(method: str, given: dict[str, Any], out: Path) -> None:
        outcome = run(method, given, str(method_python(method)), out=out.name)
        assert outcome.status == 0, (method, outcome.events, outcome.stderr)

    plan = case_plans.read(folder)
    imported = {f"{step.name}.model": base(tiny, "llama") for step in plan.of_kind("import")}
    course = Course(plan, tmp_path, job, FIXED, SMALL, imported)
    course.carry_out("train", "evaluate", "export")

    evaluation = course.evaluation()
    (asked,) = [step.parameters for step in plan.of_kind("evaluate")]
    named = {one["check"] for one in asked.get("checks") or ()}
    assert evaluation["candidates"] == ["baseline", "candidate"]
    assert named <= set(evaluation["metrics"])
    for scores in evaluation["metrics"].values():
        for of_candidate in scores.values():
            assert len(of_candidate) == ROWS and all(0 <= score <= 1 for score in of_candidate)
    assert evaluation["rows"][0]["expected"] == case_plans.rows(folder, "test.jsonl")[0]["completion"]
    (export,) = plan.of_kind("export")
    card = json.loads((tmp_path / export.name / "gguf" / "model.json").read_text(encoding="utf-8"))
    assert card["form"] == "gguf"
