"""A base model of another architecture than the matrix's goes from a folder on the machine to a served answer."""

SCHEMA = {"type": "object", "required": ["thing", "colour"]}


def run(client, method, **options):
    """Submit a job and follow it to its good end."""
    job = client.submit_job("default", method, **options)
    *_, (job, _) = client.wait_job(job.id)
    assert job.state == "SUCCEEDED", job.message
    return job


def test_from_import_to_a_served_answer(place, tiny):
    client = place.client()
    source = {"source": "folder", "reference": str(tiny / "gpt_neox")}
    base = run(client, "import_base_model", name="tiny-gpt-neox", parameters=source).model_id
    data = client.upload_dataset("default", "doors", tiny / "train.jsonl", tiny / "test.jsonl")
    few = {"steps": 3, "batch_size": 4, "max_length": 128, "precision": "float32"}
    tuned = run(client, "sft_demo", parameters=few, inputs={"base": base, "dataset": data.id}).model_id
    result = run(
        client, "evaluate", parameters={"rows": 4, "max_new_tokens": 8, "schema": SCHEMA},
        inputs={"dataset": data.id, "candidate": tuned, "baseline": base},
    )  # fmt: skip
    evaluation = client.get_evaluation(result.evaluation_id)
    assert {(score.metric, score.candidate, score.n) for score in evaluation.scores} == {
        (metric, candidate, 4) for metric in ("schema_valid", "exact_match") for candidate in ("baseline", "candidate")
    }
    packaged = run(client, "export_gguf", inputs={"model": tuned}).model_id
    assert client.get_model(packaged).base_id == base
    deployment = client.deploy("default", "tiny-gpt-neox", packaged, context_length=128, slots=1)
    *_, deployment = client.wait_deployment(deployment.id)
    assert deployment.state == "SERVING", deployment.message
    question = [{"role": "user", "content": "The red door is open."}]
    assert isinstance(client.chat(deployment.id, question, max_tokens=8), str)
    pieces = list(client.chat_stream(deployment.id, question, max_tokens=8, ignore_eos=True))
    assert 1 <= len(pieces) <= 8
    client.stop_deployment(deployment.id)
