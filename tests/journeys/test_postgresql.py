"""The whole installation on PostgreSQL: a job through to its model, with the control plane killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from patient_method import patient_place
from place import Place

pytestmark = pytest.mark.postgresql


@pytest.fixture
def place(tmp_path: Path, postgresql: str) -> Iterator[Place]:
    with patient_place(tmp_path, TUNESMITH_DATABASE=postgresql) as place:
        yield place


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
    assert len(steps) > 1 and steps == list(range(1, len(steps) + 1))
    assert not (place.folder / "control-plane" / "tunesmith.db").exists()
