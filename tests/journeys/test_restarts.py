"""kill -9 of either side in the middle of a training: the same attempt goes on, and nothing is missing at its end."""

import pytest

STEPS = 400


@pytest.fixture(scope="module")
def inputs(place, tiny):
    """A tiny base model and a dataset to train it on."""
    client = place.client()
    job = client.submit_job(
        "default", "import_base_model", parameters={"source": "folder", "reference": str(tiny / "llama")}
    )
    *_, (job, _) = client.wait_job(job.id)
    assert job.state == "SUCCEEDED", job.message
    data = client.upload_dataset("default", "doors", tiny / "train.jsonl", tiny / "test.jsonl")
    return {"base": job.model_id, "dataset": data.id}


def start_training(client, inputs, name):
    """A training that has taken some steps and has many before it."""
    chosen = {"steps": STEPS, "batch_size": 4, "max_length": 128, "precision": "float32"}
    job = client.submit_job("default", "sft_demo", name, chosen, inputs)
    for now, events in client.wait_job(job.id):
        assert now.state in ("QUEUED", "RUNNING"), now.message
        if any(event["kind"] == "metric" and event["step"] >= 10 for event in events):
            return now
    raise AssertionError("the training ended before it could be disturbed")


@pytest.fixture
def written(place):
    """The trainer's own log files by stream, held open: the agent deletes the folder once all is told."""
    held = {}

    def hold():
        (folder,) = [path.parent for path in (place.folder / "agent/attempts").glob("*/runner.json")]
        held.update({stream: (folder / "log" / stream).open("rb") for stream in ("stdout", "stderr")})
        return held

    yield hold
    for file in held.values():
        file.close()


def assert_one_whole_result(place, job_id, written):
    """One attempt, one model, each step reported once and in order, the log as the trainer wrote it."""
    client = place.client()
    *_, (job, _) = client.wait_job(job_id)
    assert job.state == "SUCCEEDED", job.message
    assert [(attempt.number, attempt.state) for attempt in job.attempts] == [(1, "SUCCEEDED")]
    assert [model.job_id for model in client.list_models("default")].count(job.id) == 1
    steps = [event["step"] for _, events in client.wait_job(job_id) for event in events if event["kind"] == "metric"]
    assert steps == list(range(STEPS + 1))  # 0: what is held out, before the first
    for stream in ("stdout", "stderr"):
        data, size = read_whole(client, job_id, stream)
        assert data == written[stream].read()
        assert size == len(data)


def read_whole(client, job_id, stream):
    data, size = client.read_log(job_id, stream)
    while len(data) < size:
        data += client.read_log(job_id, stream, offset=len(data))[0]
    return data, size


def test_the_agent_is_killed(place, inputs, written):
    job = start_training(place.client(), inputs, "agent-killed")
    files = written()
    (trainer,) = place.trainers()
    place.kill_agent()
    assert trainer.is_running()
    place.up()
    assert_one_whole_result(place, job.id, files)


def test_the_control_plane_is_killed(place, inputs, written):
    job = start_training(place.client(), inputs, "control-plane-killed")
    files = written()
    (trainer,) = place.trainers()
    place.kill_control_plane()
    assert trainer.is_running()
    place.up()
    assert_one_whole_result(place, job.id, files)


def test_both_are_killed(place, inputs, written):
    job = start_training(place.client(), inputs, "both-killed")
    files = written()
    place.kill_control_plane()
    place.kill_agent()
    place.up()
    assert_one_whole_result(place, job.id, files)
    assert place.trainers() == []
