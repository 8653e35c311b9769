"""Models and evaluations: what is recorded with a success, and who sees it."""

import json
from dataclasses import replace
from io import BytesIO

import pytest

from control_plane.context import ControlPlane
from control_plane.domain import scores
from control_plane.domain.errors import InputUnfit, NotFound
from control_plane.domain.permissions import OWNER, Actor
from control_plane.services import evaluation_rows, evaluations, jobs, models, references, results
from control_plane.services.datasets import json_lines
from control_plane.services.fleet import attempts, offers, scheduling
from control_plane.store.database import database
from control_plane.store.evaluations import EvaluationRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from fleet_support import DATASET, GIB, Fleet, manifest, model_files, model_input, report, succeed, upload

STRANGER = Actor(kind="user", id="2", name="bob", roles={999: OWNER})


def run(fleet: Fleet, machine: Actor, method: str, files: dict, name: str = "", **inputs: int) -> JobRecord:
    job = jobs.submit(fleet.user, fleet.cp, "default", method, name=name, inputs=inputs)
    assert scheduling.run_pass(fleet.cp) == 1
    succeed(machine, fleet.cp, fleet.attempt(job.id), files)
    return JobRecord.get_by_id(job.id)


def model_of(job: JobRecord) -> ModelRecord:
    return ModelRecord.get(ModelRecord.job == job.id)


def test_a_card_keeps_what_the_method_said(cp: ControlPlane, fleet: Fleet) -> None:
    base = model_of(run(fleet, fleet.machine(), "bring", {"model": model_files("base")}, name="small"))
    assert base.card["architecture"] == "LlamaForCausalLM" and base.card["pins"]["method"] == "bring"
    assert (base.name, base.form, base.base_id, base.origin_id) == ("small", "base", None, None)
    assert base.size == sum(len(data) for data in model_files("base").values())


def test_an_adapter_of_a_merged_model_sits_on_it(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    merged = {"model": {"kind": "model", "form": "merged", "path": "merged", "from": "model"}}
    fleet.method(manifest("merge", "export", merged, {"model": model_input("adapter")}))
    adapter_out = {"model": {"kind": "model", "form": "adapter", "path": "adapter", "from": "base"}}
    fleet.method(manifest("more", "train", adapter_out, {"base": model_input("base", "merged", "adapter")}))
    base = model_of(run(fleet, machine, "bring", {"model": model_files("base")}))
    adapter = model_of(run(fleet, machine, "more", {"model": model_files("adapter")}, base=base.id))
    whole = model_of(run(fleet, machine, "merge", {"model": model_files("merged")}, model=adapter.id))
    on_whole = model_of(run(fleet, machine, "more", {"model": model_files("adapter")}, base=whole.id))
    continued = model_of(run(fleet, machine, "more", {"model": model_files("adapter")}, base=adapter.id))
    assert (whole.base_id, whole.origin_id) == (base.id, adapter.id)
    assert on_whole.base_id == whole.id
    assert continued.base_id == base.id
    assert [one.id for one in models.lineage(fleet.user, cp, adapter.id).packaged] == [whole.id]


def test_a_reward_model_brings_what_it_sits_on(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    judge_out = {"model": {"kind": "model", "form": "reward", "path": "reward", "from": "base"}}
    fleet.method(manifest("judge", "train", judge_out, {"base": model_input("base")}))
    adapter_out = {"model": {"kind": "model", "form": "adapter", "path": "adapter", "from": "base"}}
    inputs = {"base": model_input("base"), "judge": model_input("reward")}
    fleet.method(manifest("ppo", "train", adapter_out, inputs))
    base = model_of(run(fleet, machine, "bring", {"model": model_files("base")}))
    judge = model_of(run(fleet, machine, "judge", {"model": model_files("reward")}, base=base.id))
    assert (judge.form, judge.base_id) == ("reward", base.id)
    given = offers.model_input("judge", judge)
    assert (given.form, given.base.form if given.base else "") == ("reward", "base")
    job = jobs.submit(fleet.user, cp, "default", "ppo", inputs={"base": base.id, "judge": judge.id})
    assert job.memory_bytes == GIB + 2 * (base.size + judge.size), "the base of both is loaded once"
    with pytest.raises(InputUnfit):
        jobs.submit(fleet.user, cp, "default", "ppo", inputs={"base": judge.id, "judge": judge.id})


def test_lineage_follows_what_the_manifest_declares_whatever_inputs_are_called(cp: ControlPlane, fleet: Fleet) -> None:
    """Two models and two datasets, none of them called as in the shipped methods; the guess would take the others."""
    model_out = {"model": {"kind": "model", "form": "adapter", "path": "m", "from": "policy", "dataset": "prompts"}}
    rows = {"answers": DATASET, "prompts": DATASET}
    fleet.method(
        manifest("ppo", "train", model_out, {"judge": model_input("base"), "policy": model_input("base")} | rows)
    )
    scores_out = {
        "evaluation": {"kind": "evaluation", "path": "e.json", "candidate": "policy", "baseline": "reference"}
    }
    scores_out["evaluation"]["dataset"] = "data"
    given = {"policy": model_input("adapter"), "reference": model_input("base"), "data": DATASET, "also": DATASET}
    fleet.method(manifest("judge", "evaluate", scores_out, given))
    machine = fleet.machine()
    judge, policy = (model_of(run(fleet, machine, "bring", {"model": model_files("base")})) for _ in range(2))
    answers, prompts = fleet.dataset(name="answers"), fleet.dataset(name="prompts")
    inputs = {"judge": judge.id, "policy": policy.id, "answers": answers.id, "prompts": prompts.id}
    tuned = model_of(run(fleet, machine, "ppo", {"model": model_files("adapter")}, **inputs))
    assert (tuned.base_id, tuned.origin_id, tuned.dataset_version_id) == (policy.id, None, prompts.id)
    scores = {"candidate": [1.0], "baseline": [0.0]}
    content = {"candidates": list(scores), "metrics": {"m": scores}, "primary_metric": "m", "rows": []}
    inputs = {"policy": tuned.id, "reference": policy.id, "also": answers.id, "data": prompts.id}
    job = run(fleet, machine, "judge", {"evaluation": {"e.json": json.dumps(content).encode()}}, **inputs)
    assert job.state == "SUCCEEDED", job.reason_params
    (evaluation,) = models.lineage(fleet.user, cp, tuned.id).evaluations
    compared = (evaluation.candidate_id, evaluation.baseline_id, evaluation.dataset_version_id)
    assert compared == (tuned.id, policy.id, prompts.id)


def test_a_complete_model_that_was_trained_is_not_a_packaged_one(cp: ControlPlane, fleet: Fleet) -> None:
    """Full fine-tuning makes a merged model: it is traced to its own training, not to its base model."""
    whole_out = {"model": {"kind": "model", "form": "merged", "path": "m", "from": "base", "dataset": "dataset"}}
    fleet.method(manifest("full", "train", whole_out, {"base": model_input("base"), "dataset": DATASET}))
    machine, version = fleet.machine(), fleet.dataset()
    base = model_of(run(fleet, machine, "bring", {"model": model_files("base")}))
    files = {"model": model_files("merged")}
    whole = model_of(run(fleet, machine, "full", files, base=base.id, dataset=version.id))
    assert models.learnt_from(fleet.user, cp, whole.id) == version.id
    found = models.lineage(fleet.user, cp, whole.id)
    assert found.dataset_version is not None and found.dataset_version.id == version.id
    assert (found.base and found.base.id) == base.id


def test_several_outputs_carry_their_names(cp: ControlPlane, fleet: Fleet) -> None:
    two = {one: {"kind": "model", "form": "base", "path": one} for one in ("left", "right")}
    fleet.method(manifest("split", "import", two))
    job = run(fleet, fleet.machine(), "split", {"left": model_files("base"), "right": model_files("base")}, name="half")
    made = ModelRecord.select().where(ModelRecord.job == job.id).order_by(ModelRecord.name)
    assert [model.name for model in made] == ["half-left", "half-right"]


def test_models_are_their_projects_own(cp: ControlPlane, fleet: Fleet) -> None:
    base = model_of(run(fleet, fleet.machine(), "bring", {"model": model_files("base")}))
    assert [one.id for one in models.list_models(fleet.user, cp, "default", "base")] == [base.id]
    assert models.list_models(fleet.user, cp, "default", "gguf") == []
    for read in (models.get, models.lineage):
        with pytest.raises(NotFound):
            read(STRANGER, cp, base.id)
    with pytest.raises(NotFound):
        models.list_models(STRANGER, cp, "default")


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"candidates": ["candidate"], "metrics": {"m": {"candidate": [NaN]}}}']
)
def test_an_unreadable_evaluation_is_a_failure(cp: ControlPlane, fleet: Fleet, content: bytes) -> None:
    machine = fleet.machine()
    base = model_of(run(fleet, machine, "bring", {"model": model_files("base")}))
    inputs = {"candidate": base.id, "dataset": fleet.dataset().id}
    job = jobs.submit(fleet.user, cp, "default", "score", inputs=inputs)
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    report(machine, cp, attempt, "RUNNING")
    report(machine, cp, attempt, "UPLOADING")
    upload(machine, cp, attempt, "evaluation", {"evaluation.json": content})
    assert report(machine, cp, attempt, "SUCCEEDED") == "FAILED"
    assert JobRecord.get_by_id(job.id).reason == "output_unreadable" and EvaluationRecord.select().count() == 0


def test_an_evaluation_of_one_model_has_no_verdict(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    base = model_of(run(fleet, machine, "bring", {"model": model_files("base")}))
    document = {"candidates": ["candidate"], "metrics": {"m": {"candidate": [1, 0]}}, "primary_metric": "m"}
    files = {"evaluation": {"evaluation.json": json.dumps(document).encode()}}
    job = run(fleet, machine, "score", files, candidate=base.id, dataset=fleet.dataset().id)
    (evaluation,) = evaluations.list_evaluations(fleet.user, cp, "default")
    assert (evaluation.job_id, evaluation.verdict, evaluation.baseline_id) == (job.id, "unpaired", None)
    assert evaluations.get(fleet.user, cp, evaluation.id).primary_metric == "m"
    with pytest.raises(NotFound):
        evaluations.get(STRANGER, cp, evaluation.id)


def test_nothing_is_parsed_inside_the_transaction(
    cp: ControlPlane, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has one writer: an evaluation of 256 MiB would keep everybody else from it."""
    inside, read = [], scores.read
    monkeypatch.setattr(scores, "read", lambda *given: inside.append(database.obj.in_transaction()) or read(*given))
    machine = fleet.machine()
    base = model_of(run(fleet, machine, "bring", {"model": model_files("base")}))
    document = {"candidates": ["candidate"], "metrics": {"m": {"candidate": [1, 0]}}, "primary_metric": "m"}
    files = {"evaluation": {"evaluation.json": json.dumps(document).encode()}}
    run(fleet, machine, "score", files, candidate=base.id, dataset=fleet.dataset().id)
    assert inside == [False]


def test_a_page_of_rows_is_read_where_it_lies(cp: ControlPlane, fleet: Fleet) -> None:
    machine, count = fleet.machine(), 100
    base = model_of(run(fleet, machine, "bring", {"model": model_files("base")}))
    document = {
        "rows": [{"row": at, "prompt": "ä" * at, "answers": {"candidate": f"a{at}"}} for at in range(count)],
        "candidates": ["candidate"],
        "metrics": {"m": {"candidate": [at % 2 for at in range(count)]}, "f": {"candidate": [1.5] * count}},
        "primary_metric": "m",
    }
    files = {"evaluation": {"evaluation.json": json.dumps(document, ensure_ascii=False, indent=1).encode()}}
    run(fleet, machine, "score", files, candidate=base.id, dataset=fleet.dataset().id)
    (evaluation,) = evaluations.list_evaluations(fleet.user, cp, "default")
    (row,) = evaluation_rows.read(cp, evaluation, "", 51, 1)
    expected = {"m": {"candidate": 1}, "f": {"candidate": 1.5}}
    assert row == {"row": 51, "prompt": "ä" * 51, "answers": {"candidate": "a51"}, "scores": expected}
    assert [evaluation_rows.count(cp, evaluation, only) for only in ("", "differences", "wrong")] == [100, 0, 50]
    assert [one["row"] for one in evaluation_rows.read(cp, evaluation, "wrong", 48, 10)] == [96, 98]
    assert references.unnamed([evaluation.rows_sha256, evaluation.index_sha256]) == []
    assert evaluations.count(fleet.user, cp, "default") == 1


@pytest.mark.parametrize("limits", [{"max_evaluation_bytes": 50}, {"max_evaluation_rows": 1}])
def test_an_evaluation_beyond_its_limits_says_so(fleet: Fleet, limits: dict[str, int]) -> None:
    machine = fleet.machine()
    base = model_of(run(fleet, machine, "bring", {"model": model_files("base")}))
    fleet.cp = replace(fleet.cp, settings=replace(fleet.cp.settings, **limits))
    document = {"candidates": ["candidate"], "metrics": {"m": {"candidate": [1, 0]}}, "primary_metric": "m"}
    files = {"evaluation": {"evaluation.json": json.dumps(document).encode()}}
    job = run(fleet, machine, "score", files, candidate=base.id, dataset=fleet.dataset().id)
    assert job.reason == "output_unreadable" and job.reason_params["problem"]


def test_models_are_listed_by_the_page(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    made = [model_of(run(fleet, machine, "bring", {"model": model_files("base")})).id for _ in range(3)]
    pages = [[one.id for one in models.list_models(fleet.user, cp, "default", "", 2, at)] for at in (0, 2)]
    assert pages == [made[:0:-1], made[:1]]
    assert [models.count(fleet.user, cp, "default", form) for form in ("", "base", models.MADE)] == [3, 3, 0]
    assert results.model_names([made[0], None]) == {made[0]: "bring"}


def test_a_card_says_how_much_was_learnt_from_generated_rows(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    made = b'{"prompt": "p", "completion": "c", "generated": true}\n'
    data = BytesIO(made + b"".join(b'{"prompt": "p%d", "completion": "c"}\n' % number for number in range(3)))
    version, _ = json_lines.upload(fleet.user, cp, "default", "rows", data, None, test_share=0.0)
    base = model_of(run(fleet, machine, "bring", {"model": model_files("base")}))
    adapter = model_of(run(fleet, machine, "tune", {"model": model_files("adapter")}, base=base.id, dataset=version.id))
    packed = model_of(run(fleet, machine, "pack", {"model": model_files("gguf")}, model=adapter.id))
    assert adapter.card["learnt"] == packed.card["learnt"] == {"rows": 4, "generated": 1}
    assert "learnt" not in base.card
