"""The thread through the services: import → train → evaluate → export → deploy; and what may be asked for."""

import json

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    Denied,
    HeldOutMissing,
    InputMissing,
    InputUnfit,
    InputUnknown,
    JobOver,
    MethodUnknown,
    NameInvalid,
    NotFound,
    ParameterInvalid,
    ParameterUnknown,
)
from control_plane.domain.permissions import OWNER, VIEWER, Actor
from control_plane.services import deployments, evaluation_rows, evaluations, jobs, models
from control_plane.services.fleet import attempts, events, logs, offers, scheduling
from control_plane.store.audit import AuditRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from fleet_support import Fleet, model_files, report, succeed
from patience import PATIENCE
from support import FakeClock

SCORES = {
    "candidates": ["baseline", "candidate"],
    "metrics": {"exact": {"baseline": [0] * 20, "candidate": [1] * 20}},
    "primary_metric": "exact",
    "rows": [{"row": 0, "prompt": "p", "expected": "e", "answers": {"baseline": "x", "candidate": "e"}}],
    "seconds": {"baseline": 2.0, "candidate": 1.5},
}


def run(fleet: Fleet, machine: Actor, job: JobRecord, files: dict[str, dict[str, bytes]]) -> JobRecord:
    assert scheduling.run_pass(fleet.cp) == 1
    assert succeed(machine, fleet.cp, fleet.attempt(job.id), files) == "SUCCEEDED"
    return jobs.get(fleet.user, fleet.cp, job.id)


def imported(fleet: Fleet, machine: Actor) -> ModelRecord:
    job = jobs.submit(fleet.user, fleet.cp, "default", "bring", name="small")
    run(fleet, machine, job, {"model": model_files("base")})
    return ModelRecord.get(ModelRecord.job == job.id)


def test_the_whole_thread(cp: ControlPlane, fleet: Fleet) -> None:
    machine, version = fleet.machine(), fleet.dataset()
    base = imported(fleet, machine)

    training = jobs.submit(
        fleet.user, cp, "default", "tune", name="faults", inputs={"base": base.id, "dataset": version.id}
    )
    assert training.parameters == {"steps": 40}
    trained = run(fleet, machine, training, {"model": model_files("adapter")})
    assert trained.state == "SUCCEEDED" and trained.ended_at == cp.clock()
    adapter = models.list_models(fleet.user, cp, "default", "adapter")[0]
    assert (adapter.base_id, adapter.name) == (base.id, "faults")

    scoring = jobs.submit(
        fleet.user,
        cp,
        "default",
        "score",
        inputs={"baseline": base.id, "candidate": adapter.id, "dataset": {"kind": "dataset", "id": version.id}},
    )
    run(fleet, machine, scoring, {"evaluation": {"evaluation.json": json.dumps(SCORES).encode()}})
    (evaluation,) = evaluations.list_evaluations(fleet.user, cp, "default")
    assert (evaluation.job_id, evaluation.verdict) == (scoring.id, "better")
    assert evaluation.differences[evaluation.primary_metric]["low"] > 0
    assert evaluation_rows.read(cp, evaluation)[0]["scores"] == {"exact": {"baseline": 0, "candidate": 1}}

    packing = jobs.submit(fleet.user, cp, "default", "pack", inputs={"model": adapter.id})
    run(fleet, machine, packing, {"model": model_files("gguf")})
    packaged = models.list_models(fleet.user, cp, "default", "gguf")[0]
    assert (packaged.base_id, packaged.origin_id, packaged.name) == (base.id, adapter.id, "faults-gguf")

    deployment = deployments.deploy(fleet.user, cp, "default", "assistant", packaged.id)
    scheduling.run_pass(cp)
    assert deployments.condition(deployment).state == "STARTING"

    line = models.lineage(fleet.user, cp, packaged.id)
    assert (line.base.id, line.origin.id, line.dataset_version.id) == (base.id, adapter.id, version.id)
    assert [one.id for one in line.evaluations] == [evaluation.id]
    assert [one.id for one in line.deployments] == [deployment.id]
    actions = [entry.action for entry in AuditRecord.select().where(AuditRecord.subject == f"job:{training.id}")]
    assert actions == [
        "job.submit",
        "attempt.offered",
        "attempt.preparing",
        "attempt.running",
        "attempt.uploading",
        "artifact.commit",
        "attempt.succeeded",
    ]


def test_the_config_pins_everything(cp: ControlPlane, fleet: Fleet) -> None:
    machine, version = fleet.machine(), fleet.dataset()
    base = imported(fleet, machine)
    inputs = {"base": base.id, "dataset": version.id}
    job = jobs.submit(fleet.user, cp, "default", "tune", inputs=inputs, seed=7, parameters={"steps": 3})
    run(fleet, machine, job, {"model": model_files("adapter")})
    config = jobs.config(fleet.user, cp, job.id)
    assert config["seed"] == 7 and config["parameters"] == {"steps": 3}
    assert config["inputs"]["dataset"]["hash"] == version.hash and config["inputs"]["base"]["hash"] == base.hash
    assert config["environment_lock"] == "torch==2.13.0\n" and len(config["environment_lock_hash"]) == 64
    assert config["hardware"]["device"] == "cpu:0" and len(config["method_hash"]) == 64
    card = models.list_models(fleet.user, cp, "default", "adapter")[0].card
    assert card["pins"]["environment_lock_hash"] == config["environment_lock_hash"]


def test_the_offer_holds_all_that_a_machine_needs(cp: ControlPlane, fleet: Fleet) -> None:
    machine, version = fleet.machine(), fleet.dataset()
    base = imported(fleet, machine)
    job = jobs.submit(fleet.user, cp, "default", "tune", inputs={"base": base.id, "dataset": version.id})
    scheduling.run_pass(cp)
    offer = offers.offer_of(cp, fleet.attempt(job.id))
    given = {one.name: one for one in offer.inputs}
    assert [file.path for file in given["dataset"].files] == ["train.jsonl", "test.jsonl"]
    assert {file.path for file in given["base"].files} == {"model.json", "model.safetensors"}
    assert offer.code[0].path == "tune/main.py" and offer.requirements == "torch\n"
    assert offer.environment_lock == "torch==2.13.0\n"  # of the import, whose requirements are the same
    assert offer.devices == ("cpu:0",) and offer.outputs[0].path == "adapter" and offer.resume is None
    assert offer.parameters == {"steps": 40} and offer.seed == 42


def test_memory_counts_each_model_once(cp: ControlPlane, fleet: Fleet) -> None:
    base = imported(fleet, fleet.machine())
    inputs = {"baseline": base.id, "candidate": base.id, "dataset": fleet.dataset().id}
    job = jobs.submit(fleet.user, cp, "default", "score", inputs=inputs)
    assert job.memory_bytes == (1 << 30) + 2 * base.size


def test_the_same_key_gets_the_same_job(cp: ControlPlane, fleet: Fleet) -> None:
    first = jobs.submit(fleet.user, cp, "default", "bring", idempotency_key="once")
    again = jobs.submit(fleet.user, cp, "default", "bring", idempotency_key="once")
    other = jobs.submit(fleet.user, cp, "default", "bring")
    assert first.id == again.id != other.id
    assert jobs.list_jobs(fleet.user, cp, "default")[1] == 2


def test_what_cannot_be_asked_for(cp: ControlPlane, fleet: Fleet) -> None:
    version = fleet.dataset(test=False)
    base = imported(fleet, fleet.machine())

    def submit(method: str, **more: object) -> JobRecord:
        return jobs.submit(fleet.user, cp, "default", method, **more)

    both = {"base": base.id, "dataset": version.id}
    before = JobRecord.select().count()
    with pytest.raises(MethodUnknown):
        submit("nothing")
    with pytest.raises(ParameterUnknown):
        submit("bring", parameters={"speed": 1})
    with pytest.raises(ParameterInvalid):
        submit("tune", parameters={"steps": 0}, inputs=both)
    with pytest.raises(InputMissing):
        submit("tune", inputs={"base": base.id})
    with pytest.raises(InputUnknown):
        submit("bring", inputs={"base": base.id})
    with pytest.raises(InputUnfit):
        submit("pack", inputs={"model": base.id})
    with pytest.raises(InputUnfit):
        submit("tune", inputs=both | {"base": {"kind": "dataset", "id": 1}})
    with pytest.raises(InputUnfit):
        submit("tune", inputs=both | {"dataset": fleet.dataset(format="text", name="prose").id})
    with pytest.raises(HeldOutMissing):
        submit("score", inputs={"candidate": base.id, "dataset": version.id})
    with pytest.raises(NameInvalid):
        submit("bring", name="Not A Name")
    with pytest.raises(NotFound):
        submit("tune", inputs=both | {"base": 999})
    with pytest.raises(ParameterInvalid):
        submit("bring", seed=-1)
    assert JobRecord.select().count() == before


def test_other_projects_are_not_there(cp: ControlPlane, fleet: Fleet) -> None:
    job = jobs.submit(fleet.user, cp, "default", "bring")
    stranger = Actor(kind="user", id="2", name="bob", roles={999: OWNER})
    viewer = Actor(kind="user", id="3", name="eve", roles={fleet.project.id: VIEWER})
    for read in (jobs.get, jobs.attempts, jobs.events, jobs.series, jobs.logs, jobs.files, jobs.config, jobs.cancel):
        with pytest.raises(NotFound):
            read(stranger, cp, job.id)
    with pytest.raises(NotFound):
        jobs.submit(stranger, cp, "default", "bring")
    with pytest.raises(Denied):
        jobs.submit(viewer, cp, "default", "bring")
    with pytest.raises(Denied):
        jobs.cancel(viewer, cp, job.id)
    assert jobs.get(viewer, cp, job.id).state == "QUEUED"


def test_cancel_ends_a_queued_job_at_once(cp: ControlPlane, fleet: Fleet) -> None:
    job = jobs.submit(fleet.user, cp, "default", "bring")
    assert jobs.cancel(fleet.user, cp, job.id).state == "CANCELLED"
    with pytest.raises(JobOver):
        jobs.cancel(fleet.user, cp, job.id)
    fleet.machine()
    assert scheduling.run_pass(cp) == 0


def test_a_running_job_is_asked_to_end(cp: ControlPlane, fleet: Fleet, clock: FakeClock) -> None:
    machine = fleet.machine()
    job = jobs.submit(fleet.user, cp, "default", "bring")
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    report(machine, cp, attempt, "RUNNING")
    requested = jobs.cancel(fleet.user, cp, job.id)
    assert (requested.state, requested.cancel_requested_at) == ("RUNNING", clock.now)
    assert report(machine, cp, attempt, "CANCELLED") == "CANCELLED"
    assert jobs.get(fleet.user, cp, job.id).state == "CANCELLED"


def test_curves_and_logs(cp: ControlPlane, fleet: Fleet) -> None:
    machine = fleet.machine()
    job = jobs.submit(fleet.user, cp, "default", "bring")
    assert jobs.read_log(fleet.user, cp, job.id, "stdout", 0, 100) == (b"", 0)
    scheduling.run_pass(cp)
    attempt = fleet.attempt(job.id)
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    lines = [json.dumps({"kind": "metric", "time": 1, "step": step, "values": {"loss": 1 / step}}) for step in (1, 2)]
    lines.append('{"kind": "progress", "time": 2, "step": 2, "steps": 4, "stage": "training"}')
    assert events.append(machine, cp, attempt.id, attempt.fence, list(enumerate(lines, 1))) == 3
    curves = jobs.series(fleet.user, cp, job.id)
    assert curves["series"] == [{"name": "loss", "points": [[1, 1.0], [2, 0.5]]}]
    assert jobs.series(fleet.user, cp, job.id, curves["cursor"])["series"] == []
    assert jobs.get(fleet.user, cp, job.id).progress == {"step": 2, "steps": 4, "stage": "training"}
    logs.append(machine, cp, attempt.id, attempt.fence, "stdout", 0, b"hello")
    assert jobs.read_log(fleet.user, cp, job.id, "stdout", 1, 3) == (b"ell", 5)
    with pytest.raises(NotFound):
        jobs.read_log(fleet.user, cp, job.id, "../secret", 0, 3)


def test_wait_returns_at_once_when_something_changed(cp: ControlPlane, fleet: Fleet) -> None:
    job = jobs.submit(fleet.user, cp, "default", "bring")
    assert jobs.wait(fleet.user, cp, job.id, 0, PATIENCE).version == job.version
    fleet.machine()
    scheduling.run_pass(cp)
    assert jobs.wait(fleet.user, cp, job.id, job.version, PATIENCE).version > job.version
