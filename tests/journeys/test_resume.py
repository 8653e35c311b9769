"""A machine that dies in the middle of a training for good: the next attempt goes on from the last checkpoint."""

import json
from collections.abc import Iterator

import psutil
import pytest

from patience import PATIENCE
from place import SHORT_LEASES, Place

STEPS, EVERY = 150, 20


@pytest.fixture(scope="module")
def place(tiny, tmp_path_factory) -> Iterator[Place]:
    """Like the other journeys' place, but a machine is lost after seconds of silence."""
    place = Place(tmp_path_factory.mktemp("place"), TUNESMITH_AGENT_IMPORT_ROOTS=str(tiny), **SHORT_LEASES)
    place.up()
    yield place
    place.down()


@pytest.fixture(scope="module")
def inputs(place, tiny):
    client = place.client()
    job = client.submit_job(
        "default", "import_base_model", parameters={"source": "folder", "reference": str(tiny / "llama")}
    )
    *_, (job, _) = client.wait_job(job.id)
    assert job.state == "SUCCEEDED", job.message
    data = client.upload_dataset("default", "doors", tiny / "train.jsonl", tiny / "test.jsonl")
    return {"base": job.model_id, "dataset": data.id}


def checkpoints(client, job_id):
    return [one.name for one in client.list_files(job_id) if one.name.startswith("checkpoint:")]


def wait_until(client, job_id, condition):
    """Look at the job whenever it changes; what the condition gave."""
    for job, _ in client.wait_job(job_id):
        if found := condition(job):
            return found
    raise AssertionError("the job ended before it happened")


def kill_machine(place):
    """kill -9 of the agent, the runner and the trainer: nobody is left to say anything."""
    place.kill_agent()
    (trainer,) = place.trainers()
    (record,) = (place.folder / "agent/attempts").glob("*/runner.json")
    psutil.Process(json.loads(record.read_text())["pid"]).kill()
    trainer.kill()
    psutil.wait_procs([trainer], timeout=PATIENCE)


def test_the_next_attempt_resumes_from_the_checkpoint(place, inputs):
    client = place.client()
    chosen = {"steps": STEPS, "batch_size": 4, "max_length": 128, "precision": "float32", "checkpoint_every": EVERY}
    job = client.submit_job("default", "sft_demo", "machine-lost", chosen, inputs)
    wait_until(client, job.id, lambda _: checkpoints(client, job.id))
    kill_machine(place)
    wait_until(client, job.id, lambda job: job.state == "QUEUED")
    kept = max(int(name.partition(":")[2]) for name in checkpoints(client, job.id))
    assert kept < STEPS

    place.up()
    *_, (job, _) = client.wait_job(job.id)
    assert job.state == "SUCCEEDED", job.message
    assert [(one.number, one.state) for one in job.attempts] == [(1, "LOST"), (2, "SUCCEEDED")]
    steps = {attempt.id: [] for attempt in job.attempts}
    for event in client.list_events(job.id, kind="metric"):
        steps[event.attempt_id].append(json.loads(event.body)["step"])
    first, second = steps.values()
    assert first == list(range(len(first)))  # 0: what is held out, before the first step
    assert second == list(range(kept + 1, STEPS + 1))
    assert [model.job_id for model in client.list_models("default")].count(job.id) == 1
    assert len(checkpoints(client, job.id)) == 2
