"""kill -9 of either side in the middle of a job, and of both: the same attempt goes on, and nothing is missing then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import tunesmith
from patient_method import patient_place
from place import Place
from tunesmith.v1 import automation_pb2 as pb


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with patient_place(tmp_path) as place:
        yield place


def follow(client: tunesmith.Client, job_id: int, more: int = 3) -> pb.Job:
    """Follow a job until it has told of some more steps than by now; it has to run all the while."""
    told = sum(event.kind == "metric" for event in client.list_events(job_id))
    for now, events in client.wait_job(job_id):
        assert now.state in ("QUEUED", "RUNNING"), now.message
        if any(event["kind"] == "metric" and event["step"] >= told + more for event in events):
            return now
    raise AssertionError("the job ended before it could be disturbed")


def kill_both(place: Place) -> None:
    place.kill_control_plane()
    place.kill_agent()


def test_whoever_is_killed_the_same_attempt_goes_on(place: Place, tmp_path: Path) -> None:
    gate = tmp_path / "gates" / "open"
    job = place.client().submit_job("default", "patient", parameters={"gate": str(gate)})
    follow(place.client(), job.id)
    (trainer,) = place.trainers()
    with ExitStack() as stack:
        # the trainer's own log files, held open: the agent deletes the folder once all is told
        (folder,) = [path.parent for path in (place.folder / "agent/attempts").glob("*/runner.json")]
        written = {name: stack.enter_context((folder / "log" / name).open("rb")) for name in ("stdout", "stderr")}
        kills: tuple[Callable[[Place], None], ...] = (Place.kill_agent, Place.kill_control_plane, kill_both)
        for kill in kills:
            kill(place)
            assert trainer.is_running()
            place.up()
            follow(place.client(), job.id)
        gate.touch()
        assert_one_whole_result(place.client(), job.id, {name: file.read for name, file in written.items()})
    assert place.trainers() == []


def assert_one_whole_result(client: tunesmith.Client, job_id: int, written: dict[str, Callable[[], bytes]]) -> None:
    """One attempt, one model, each step reported once and in order, the log as the trainer wrote it."""
    *_, (job, _) = client.wait_job(job_id)
    assert job.state == "SUCCEEDED", job.message
    assert [(attempt.number, attempt.state) for attempt in job.attempts] == [(1, "SUCCEEDED")]
    assert [model.job_id for model in client.list_models("default")] == [job.id]
    steps = [event["step"] for _, events in client.wait_job(job_id) for event in events if event["kind"] == "metric"]
    assert steps == list(range(1, len(steps) + 1))
    for stream, read in written.items():
        data, size = read_whole(client, job_id, stream)
        assert data == read()
        assert size == len(data)
        assert data.count(b"\n") == len(steps)


def read_whole(client: tunesmith.Client, job_id: int, stream: str) -> tuple[bytes, int]:
    data, size = client.read_log(job_id, stream)
    while len(data) < size:
        data += client.read_log(job_id, stream, offset=len(data))[0]
    return data, size
