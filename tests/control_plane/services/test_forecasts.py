"""What a job would take: from the model's own sizes, corrected by what earlier jobs of the method held."""

from __future__ import annotations

import json

import pytest

from control_plane.context import ControlPlane
from control_plane.domain.errors import InputMissing, NotFound
from control_plane.domain.permissions import Actor
from control_plane.services import forecasts, jobs
from control_plane.services.fleet import attempts, scheduling
from control_plane.store.jobs import JobRecord
from control_plane.store.models import ModelRecord
from fleet_support import DATASET, GIB, Fleet, manifest, model_files, model_input, report, succeed, upload
from support import FakeClock

SHAPE = {
    "hidden_size": 576, "layers": 30, "intermediate_size": 1536, "vocabulary": 49152, "heads": 9, "key_value_heads": 3,
}  # fmt: skip
FINE = manifest(
    "fine",
    "train",
    {"model": {"kind": "model", "form": "adapter", "path": "adapter", "from": "base", "dataset": "dataset"}},
    {"base": model_input("base"), "dataset": DATASET},
    resources={
        "memory_bytes": GIB, "memory_per_model_byte": 2.0, "disk_bytes": 1000,
        "training": {"learns": "adapter", "runtime_bytes": 500_000_000},
    },
)  # fmt: skip


@pytest.fixture
def inputs(cp: ControlPlane, fleet: Fleet) -> dict[str, int]:
    """A base model whose sizes are known, and data."""
    fleet.method(FINE)
    machine = fleet.machine()
    job = jobs.submit(fleet.user, cp, "default", "bring", name="small")
    assert scheduling.run_pass(cp) == 1
    facts = {"form": "base", "parameter_count": 134_515_008, "dtype": "bfloat16", "shape": SHAPE}
    files = model_files("base") | {"model.json": json.dumps(facts).encode()}
    assert succeed(machine, cp, fleet.attempt(job.id), {"model": files}) == "SUCCEEDED"
    return {"base": ModelRecord.get(ModelRecord.job == job.id).id, "dataset": fleet.dataset().id}


def run(fleet: Fleet, clock: FakeClock, inputs: dict[str, int], peak: int) -> None:
    """A job of the method that holds so much memory and takes 100 seconds."""
    cp = fleet.cp
    job = jobs.submit(fleet.user, cp, "default", "fine", inputs=inputs)
    assert scheduling.run_pass(cp) == 1
    attempt = fleet.attempt(job.id)
    machine = Actor(kind="machine", id=attempt.machine_id, name="machine")
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    report(machine, cp, attempt, "RUNNING")
    clock.advance(100)
    report(machine, cp, attempt, "UPLOADING", peak_bytes=peak)
    upload(machine, cp, attempt, "model", model_files("adapter"))
    assert report(machine, cp, attempt, "SUCCEEDED") == "SUCCEEDED"


def test_a_forecast_names_parts_and_machines(cp: ControlPlane, fleet: Fleet, inputs: dict[str, int]) -> None:
    found = forecasts.forecast(fleet.user, cp, "default", "fine", inputs=inputs)
    assert found.parts["weights"] == 2 * 134_515_008
    assert found.memory == sum(found.parts.values()) and found.factor == 1
    (place,) = found.places
    assert (place.machine_name, place.state, place.seconds) == ("machine", "ready", None)


def test_the_scheduler_goes_by_the_same_figure(cp: ControlPlane, fleet: Fleet, inputs: dict[str, int]) -> None:
    found = forecasts.forecast(fleet.user, cp, "default", "fine", inputs=inputs)
    job = jobs.submit(fleet.user, cp, "default", "fine", inputs=inputs)
    assert job.memory_bytes == found.memory == JobRecord.get_by_id(job.id).estimate["memory"]


def test_earlier_jobs_correct_it(cp: ControlPlane, fleet: Fleet, clock: FakeClock, inputs: dict[str, int]) -> None:
    bare = forecasts.forecast(fleet.user, cp, "default", "fine", inputs=inputs).memory
    run(fleet, clock, inputs, 2 * bare)
    found = forecasts.forecast(fleet.user, cp, "default", "fine", inputs=inputs)
    assert found.factor == pytest.approx(2) and found.memory == pytest.approx(2 * bare, rel=1e-6)
    assert [one.seconds for one in found.places] == [pytest.approx(100)]
    again = jobs.submit(fleet.user, cp, "default", "fine", inputs=inputs)
    assert again.memory_bytes == found.memory and again.estimate["memory"] == bare  # corrections do not add up


def test_where_it_does_not_fit(cp: ControlPlane, fleet: Fleet, inputs: dict[str, int]) -> None:
    fleet.machine(memory=GIB // 2)
    fleet.machine(disk_free=10)
    states = {one.state for one in forecasts.forecast(fleet.user, cp, "default", "fine", inputs=inputs).places}
    assert states == {"ready", "memory", "disk"}


def test_a_method_that_declares_nothing_has_its_rough_figure(
    cp: ControlPlane, fleet: Fleet, inputs: dict[str, int]
) -> None:
    found = forecasts.forecast(fleet.user, cp, "default", "tune", inputs=inputs)
    assert found.parts == {} and found.memory > GIB and found.places


def test_what_is_missing_and_who_may_ask(cp: ControlPlane, fleet: Fleet, inputs: dict[str, int]) -> None:
    with pytest.raises(InputMissing):
        forecasts.forecast(fleet.user, cp, "default", "fine", inputs={"base": inputs["base"]})
    with pytest.raises(NotFound):
        forecasts.forecast(Actor(kind="user", id="9", name="eve"), cp, "default", "fine", inputs=inputs)
