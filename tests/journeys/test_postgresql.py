"""The whole installation on PostgreSQL: a job through to its model, with the control plane killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from patient_method import write_patient_method
from place import Place

pytestmark = pytest.mark.postgresql


@pytest.fixture
def place(tmp_path: Path, postgresql: str) -> Iterator[Place]:
    folder = write_patient_method(tmp_path / "methods")
    (tmp_path / "gates").mkdir()  # what a method in its sandbox is to see beside its own
    readable = {"TUNESMITH_AGENT_READABLE_PATHS": str(tmp_path / "gates")}
    place = Place(tmp_path / "place", TUNESMITH_DATABASE=postgresql, TUNESMITH_METHODS=str(folder), **readable)
    place.up()
    yield place
    place.down()


def test_a_job_succeeds_once_though_the_control_plane_is_killed(place: Place, tmp_path: Path) -> None:
    gate, client = tmp_path / "gates" / "open", place.client()
    job = client.submit_job("default", "patient", parameters={"gate": str(gate)})
    for now, events in client.wait_job(job.id):
        assert now.state in ("QUEUED", "RUNNING"), now.message
        if any(event["kind"] == "metric" for event in events):
            break
    (trainer,) = place.trainers()
    place.kill_control_plane()
    assert trainer.is_running()
    gate.touch()  # it ends while nobody listens
    place.up()

    client = place.client()
    *_, (job, _) = client.wait_job(job.id)
    assert job.state == "SUCCEEDED", job.message
    assert [(attempt.number, attempt.state) for attempt in job.attempts] == [(1, "SUCCEEDED")]
    assert [model.job_id for model in client.list_models("default")] == [job.id]
    steps = [event["step"] for _, events in client.wait_job(job.id) for event in events if event["kind"] == "metric"]
    assert steps == [1, 2]
    assert not (place.folder / "control-plane" / "tunesmith.db").exists()
