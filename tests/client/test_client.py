"""The Python client against the real API port."""

from __future__ import annotations

import json
import math
import threading
from pathlib import Path
from typing import Any

import grpc
import pytest
from client_support import Installation, Said
from google.protobuf.descriptor import MethodDescriptor

import tunesmith
from control_plane.services import deployments
from control_plane.services.access import people
from control_plane.services.fleet import attempts, events, scheduling
from control_plane.store.deployments import ReplicaRecord
from fleet_support import model_files, report, succeed, upload
from patience import PATIENCE, wait_until
from tunesmith.connection import Target, failure, find, open_channel
from tunesmith.v1 import automation_pb2 as pb
from tunesmith.v1 import automation_pb2_grpc

HI = [{"role": "user", "content": "Hi"}]
ROWS = b"".join(json.dumps({"prompt": f"p{n}", "completion": f"c{n}"}).encode() + b"\n" for n in range(20))


def make_base(installation: Installation, client: tunesmith.Client) -> int:
    """A base model, imported by a machine of the fleet."""
    machine = installation.fleet.machine()
    job = client.submit_job("default", "bring", "smol")
    scheduling.run_pass(installation.cp)
    succeed(machine, installation.cp, installation.fleet.attempt(job.id), {"model": model_files("base")})
    return client.get_job(job.id).model_id


def test_who_and_where(client: tunesmith.Client) -> None:
    me = client.who_am_i()
    assert (me.name, me.administrator, me.web_url) == ("local", True, "http://127.0.0.1:8420")
    assert [(project.name, project.role) for project in client.list_projects()] == [("default", "Administrator")]
    assert client.create_project("pumps").title == "pumps"
    assert {method.name for method in client.list_methods()} == {"bring", "tune", "score", "pack"}
    assert client.create_join_token("server").token.startswith("tsj_")
    assert client.list_machines() == []
    assert client.list_audit("pumps")[0].action == "project.create"


def test_a_wrong_token_and_none(installation: Installation) -> None:
    for token in ("tsk_wrong", "ä" * 10):
        with installation.connect(token.encode("ascii", "replace").decode()) as client:
            with pytest.raises(tunesmith.CallFailed) as caught:
                client.list_projects()
            assert (caught.value.code, caught.value.status) == ("token_refused", "UNAUTHENTICATED")


def test_an_authority_that_is_not_the_servers(installation: Installation, tmp_path: Path) -> None:
    from control_plane.authority import open_authority

    other = open_authority(tmp_path / "other").pem.decode()
    target = find(installation.connect().target.address, "tsk_x", other)
    with tunesmith.Client(target, patience=0.0) as client, pytest.raises(tunesmith.CallFailed) as caught:
        client.list_projects()
    assert caught.value.status == "UNAVAILABLE" and not caught.value.code


def test_a_token_made_here_works_until_it_is_revoked(installation: Installation, client: tunesmith.Client) -> None:
    token = client.create_api_token("nightly").token
    with installation.connect(token) as second:
        assert second.who_am_i().name == "local"
        actor = people.actor_of_token(installation.cp, token, "")
        people.revoke_token(actor, installation.cp, people.list_tokens(actor, installation.cp)[0].id)
        with pytest.raises(tunesmith.CallFailed):
            second.who_am_i()


def test_upload_from_files_and_bytes(client: tunesmith.Client, tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_bytes(ROWS)
    first = client.upload_dataset("default", "faults", tmp_path / "train.jsonl", test_share=0.25)
    assert (first.number, first.train_rows, first.test_rows, first.reused) == (1, 15, 5, False)
    assert client.upload_dataset("default", "faults", ROWS, test_share=0.25).reused
    held_out = b'{"prompt": "q", "completion": "r"}'
    second = client.upload_dataset("default", "faults", ROWS, held_out)
    assert [version.id for version in client.list_datasets("default")] == [second.id, first.id]
    assert second.test_rows == 1
    large = b"".join(b'{"prompt": "%d", "completion": "%s"}\n' % (row, b"x" * 60_000) for row in range(50))
    assert client.upload_dataset("default", "faults", large, held_out).train_rows == 50  # in pieces that fit


@pytest.mark.parametrize(
    ("train", "test", "code", "words"),
    [
        (
            ROWS + b'{"prompt": "p"}\n',
            None,
            "row_field_missing",
            "train.jsonl, line 21: the field “completion” is missing",
        ),
        (ROWS, b"[]", "file_is_document", "“test.jsonl”"),
        (ROWS, b"", "dataset_empty", "test.jsonl"),
        (b"", None, "dataset_empty", "train.jsonl"),
        (ROWS.decode().encode("utf-16"), None, "encoding_unsupported", "UTF-16"),
    ],
)
def test_faulty_uploads_name_the_place(
    client: tunesmith.Client, train: bytes, test: bytes | None, code: str, words: str
) -> None:
    with pytest.raises(tunesmith.CallFailed) as caught:
        client.upload_dataset("default", "faults", train, test)
    assert caught.value.code == code and words in str(caught.value)
    assert client.list_datasets("default") == []


def test_a_stranger_uploads_nothing(installation: Installation, client: tunesmith.Client) -> None:
    admin = people.actor_of_token(installation.cp, client.target.token, "")
    secret = people.invite(admin, installation.cp, "sam", "", administrator=False).rsplit("/", 1)[1]
    session = people.redeem_link(installation.cp, secret, "correct horse battery", "")
    token, _ = people.create_token(people.actor_of_session(installation.cp, session, ""), installation.cp, "sams")
    with installation.connect(token) as sam:
        assert sam.list_projects() == []
        for refused in (
            lambda: sam.upload_dataset("default", "faults", ROWS),
            lambda: sam.list_jobs("default"),
            lambda: sam.submit_job("default", "bring"),
            lambda: sam.list_models("default"),
            lambda: sam.list_deployments("default"),
            lambda: sam.list_audit("default"),
        ):
            with pytest.raises(tunesmith.CallFailed) as caught:
                refused()
            assert caught.value.status == "NOT_FOUND"


def test_a_job_that_no_machine_takes_waits_and_says_why(client: tunesmith.Client, installation: Installation) -> None:
    job = client.submit_job("default", "bring", "smol", {"steps": 3}, idempotency_key="once")
    assert (job.state, json.loads(job.parameters), job.seed) == ("QUEUED", {"steps": 3}, 42)
    assert client.submit_job("default", "bring", "smol", {"steps": 3}, idempotency_key="once").id == job.id
    scheduling.run_pass(installation.cp)
    assert client.get_job(job.id).waiting == "No machine has joined the fleet yet."
    assert [one.id for one in client.list_jobs("default", "QUEUED")] == [job.id]
    assert client.cancel_job(job.id).state == "CANCELLED"
    assert [one.state for one, _ in client.wait_job(job.id)] == ["CANCELLED"]
    with pytest.raises(tunesmith.CallFailed) as caught:
        client.cancel_job(job.id)
    assert caught.value.code == "job_over"


def test_wrong_jobs_are_refused_in_words(client: tunesmith.Client) -> None:
    for arguments, code in (
        (("default", "juggle"), "method_unknown"),
        (("default", "bring", "", {"stepz": 1}), "parameter_unknown"),
        (("default", "bring", "", {"steps": 0}), "parameter_out_of_range"),
        (("default", "tune"), "input_missing"),
        (("nowhere", "bring"), "not_found"),
    ):
        with pytest.raises(tunesmith.CallFailed) as caught:
            client.submit_job(*arguments)
        assert caught.value.code == code


@pytest.mark.parametrize("field", ["not_before", "lost_after", "time_limit"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300, -1.0])
def test_a_policy_that_is_no_usable_number_is_refused_by_its_name(
    client: tunesmith.Client, field: str, value: float
) -> None:
    with pytest.raises(tunesmith.CallFailed) as caught:
        client.submit_job("default", "bring", policy={field: value})
    assert (caught.value.code, caught.value.params["field"]) == ("field_invalid", field)
    assert client.list_jobs("default") == []


@pytest.mark.parametrize(
    ("policy", "code"),
    [
        ({"priority": 101}, "field_invalid"),
        ({"priority": 1 << 40}, ""),
        ({"priority": math.nan}, ""),
        ({"lost_after": 10**400}, ""),
        ({"when_lost": "never"}, "field_invalid"),
        ({"urgency": 1}, ""),
    ],
)
def test_what_a_policy_cannot_hold_is_refused_by_its_name(
    client: tunesmith.Client, policy: dict[str, float | str], code: str
) -> None:
    """By the control plane, or before it is asked where the wire has no room for it."""
    with pytest.raises(tunesmith.CallFailed if code else ValueError, match=next(iter(policy))) as caught:
        client.submit_job("default", "bring", policy=policy)
    assert getattr(caught.value, "code", "") == code


def test_errors_come_in_the_language_that_was_asked_for(installation: Installation) -> None:
    target = find(data=installation.cp.settings.data)
    with tunesmith.Client(target, "de") as client, pytest.raises(tunesmith.CallFailed) as caught:
        client.submit_job("default", "juggle")
    assert caught.value.params == {"method": "juggle"}


def test_following_a_job_sees_each_event_once_and_its_model(
    client: tunesmith.Client, installation: Installation
) -> None:
    cp, machine = installation.cp, installation.fleet.machine()
    job = client.submit_job("default", "bring", "smol")
    scheduling.run_pass(cp)
    attempt = installation.fleet.attempt(job.id)
    heard: list[tuple[str, float]] = []
    kinds: list[str] = []
    running = threading.Event()

    def follow() -> None:
        for seen, reported in client.wait_job(job.id):
            heard.append((seen.state, seen.progress))
            kinds.extend(event["kind"] for event in reported)
            if seen.state == "RUNNING":
                running.set()

    follower = threading.Thread(target=follow)
    follower.start()
    attempts.accept(machine, cp, attempt.id, attempt.fence)
    report(machine, cp, attempt, "RUNNING")
    assert running.wait(PATIENCE)
    lines = [
        (1, '{"kind": "progress", "time": 1.0, "step": 1, "steps": 4}'),
        (2, '{"kind": "metric", "time": 1.0, "step": 1, "values": {"loss": 0.5}}'),
    ]
    events.append(machine, cp, attempt.id, attempt.fence, lines)
    report(machine, cp, attempt, "UPLOADING")
    upload(machine, cp, attempt, "model", model_files("base"))
    report(machine, cp, attempt, "SUCCEEDED")
    follower.join(PATIENCE)
    assert heard[-1] == ("SUCCEEDED", 0.25)
    assert kinds == ["progress", "metric"]
    done = client.get_job(job.id)
    model = client.get_model(done.model_id)
    assert (model.name, model.form, json.loads(model.card)["architecture"]) == ("smol", "base", "LlamaForCausalLM")
    assert [one.id for one in client.list_models("default", "base")] == [model.id]
    assert [event.kind for event in client.list_events(job.id, kind="metric")] == ["metric"]
    assert client.read_log(job.id) == (b"", 0)
    assert done.attempts[0].running_at >= done.attempts[0].started_at > 0


def serve(client: tunesmith.Client, installation: Installation) -> int:
    """A deployment whose replica reports that it serves."""
    base, cp = make_base(installation, client), installation.cp
    version = client.upload_dataset("default", "faults", ROWS)
    machine = installation.fleet.machine()
    model = base
    for method, inputs, form in (
        ("tune", {"base": base, "dataset": version.id}, "adapter"),
        ("pack", {}, "gguf"),
    ):
        job = client.submit_job("default", method, inputs=inputs or {"model": model})
        scheduling.run_pass(cp)
        attempt = installation.fleet.attempt(job.id)
        holder = type(machine)(kind="machine", id=attempt.machine_id, name="machine")
        succeed(holder, cp, attempt, {"model": model_files(form)})
        model = client.get_job(job.id).model_id
    deployment = client.deploy("default", "faults", model)
    assert deployment.state == "QUEUED"
    scheduling.run_pass(cp)
    ReplicaRecord.update(state="SERVING", observed_generation=ReplicaRecord.generation).execute()
    assert deployments.condition(deployments.get(installation.fleet.user, cp, deployment.id)).state == "SERVING"
    return deployment.id


def test_deploy_chat_and_stop(client: tunesmith.Client, installation: Installation) -> None:
    deployment_id = serve(client, installation)
    assert [one.state for one in client.wait_deployment(deployment_id)] == ["SERVING"]
    whole = json.dumps({"choices": [{"message": {"content": "Grüße"}}]}).encode()
    installation.engine.answers.append(Said([whole[:20], whole[20:]]))
    assert client.chat(deployment_id, HI, temperature=0) == "Grüße"
    asked = json.loads(installation.engine.asked[0])
    assert (asked["stream"], asked["temperature"], asked["messages"][0]["content"]) == (False, 0, "Hi")
    said = ['{"choices": [{"delta": {"content": "Gr"}}]}', '{"choices": [{"delta": {"content": "uä"}}]}', "[DONE]"]
    lines = "".join(f"data: {line}\n\n" for line in said).encode()
    installation.engine.answers.append(Said([lines[:30], lines[30:]]))
    assert "".join(client.chat_stream(deployment_id, HI)) == "Gruä"
    assert client.stop_deployment(deployment_id).state == "STOPPED"
    with pytest.raises(tunesmith.CallFailed) as caught:
        client.chat(deployment_id, HI)
    assert caught.value.code == "nothing_serves"


def test_a_chat_is_refused_in_words(client: tunesmith.Client, installation: Installation) -> None:
    """What is wrong in it, and what its engine does not take."""
    deployment_id = serve(client, installation)
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]
    for messages, options, parameter in (
        (picture, {}, "messages[0].content[0]"),
        ([], {}, "messages"),
        (HI, {"n": 100}, "n"),
    ):
        with pytest.raises(tunesmith.CallFailed) as caught:
            client.chat(deployment_id, messages, **options)
        assert (caught.value.status, caught.value.params["parameter"]) == ("INVALID_ARGUMENT", parameter)
    assert installation.engine.asked == []
    too_long = b'{"error": {"message": "request (70 tokens) exceeds the available context size (64 tokens)"}}'
    installation.engine.answers.append(Said([too_long], status=400))
    with pytest.raises(tunesmith.CallFailed) as caught:
        client.chat(deployment_id, HI)
    assert (caught.value.code, caught.value.params) == ("context_exceeded", {"tokens": 70, "most": 64})


def test_a_chat_may_force_a_tool(client: tunesmith.Client, installation: Installation) -> None:
    deployment_id = serve(client, installation)
    tools = [{"type": "function", "function": {"name": name}} for name in ("length", "width")]
    named = {"type": "function", "function": {"name": "width"}}
    for known, answered in ((True, True), (False, False)):
        caps = json.dumps({"chat_template_caps": {"supports_tools": known, "supports_tool_calls": known}}).encode()
        installation.engine.answers = [Said([caps]), Said([b'{"choices": [{"message": {"content": null}}]}'])]
        installation.engine.asked.clear()
        if answered:
            client.chat(deployment_id, HI, tools=tools, tool_choice=named)
            asked = json.loads(installation.engine.asked[1])
            assert (asked["tools"], asked["tool_choice"]) == (tools[1:], "required")
        else:
            with pytest.raises(tunesmith.CallFailed) as caught:
                client.chat(deployment_id, HI, tools=tools, tool_choice=named)
            assert caught.value.code == "tools_unsupported"


def test_a_reader_that_leaves_ends_the_generation(client: tunesmith.Client, installation: Installation) -> None:
    deployment_id = serve(client, installation)
    line = b'data: {"choices": [{"delta": {"content": "word "}}]}\n\n'
    endless = Said([line] * 100_000)
    installation.engine.answers.append(endless)
    pieces = client.chat_stream(deployment_id, HI)
    assert next(pieces) == "word "
    pieces.close()
    wait_until(lambda: endless.closed)


def test_where_the_control_plane_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("TUNESMITH_API", "TUNESMITH_TOKEN", "TUNESMITH_AUTHORITY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(tunesmith.NotConfigured):
        find()
    saved = Target("far:8421", "tsk_far", "PEM far").save()
    assert saved.stat().st_mode & 0o777 == 0o600
    assert find() == Target("far:8421", "tsk_far", "PEM far")
    near = tmp_path / "near" / "control-plane"
    near.mkdir(parents=True)
    (near / "bootstrap.json").write_text(
        json.dumps({"api_address": "near:1", "token": "tsk_near", "authority_pem": "PEM near", "web_url": ""})
    )
    assert find(data=tmp_path / "near") == Target("near:1", "tsk_near", "PEM near")
    (near / "bootstrap.json").write_text(
        json.dumps({"api_address": "near:1", "token": "", "authority_pem": "PEM near"})
    )
    with pytest.raises(tunesmith.NotConfigured, match="data folder is switched off"):
        find(data=tmp_path / "near")
    monkeypatch.setenv("TUNESMITH_API", "other:1")
    with pytest.raises(tunesmith.NotConfigured, match="other:1"):  # no stored token goes to another address
        find()
    monkeypatch.setenv("TUNESMITH_TOKEN", "tsk_env")
    assert find() == Target("other:1", "tsk_env", "")
    assert find("far:8421", "tsk_argument") == Target("far:8421", "tsk_argument", "PEM far")


def test_no_call_is_answered_without_a_token(installation: Installation) -> None:
    methods = pb.DESCRIPTOR.services_by_name["Automation"].methods
    with open_channel(installation.connect().target) as channel:
        stub = automation_pb2_grpc.AutomationStub(channel)
        codes = {method.name: refusal(getattr(stub, method.name), method) for method in methods}
    assert set(codes.values()) == {"not_signed_in"}, codes


def refusal(call: Any, method: MethodDescriptor) -> str:
    request = getattr(pb, method.input_type.name)()
    with pytest.raises(grpc.RpcError) as caught:
        answer = call(iter([request]) if method.client_streaming else request, timeout=PATIENCE)
        next(answer)  # a streaming answer fails when it is read
    return failure(caught.value).code


def test_what_a_job_would_take(installation: Installation, client: tunesmith.Client) -> None:
    base = make_base(installation, client)
    inputs = {"base": base, "dataset": installation.fleet.dataset().id}
    found = client.estimate_job("default", "tune", {"steps": 3}, inputs)
    assert found.memory_bytes > 1 << 30 and found.disk_bytes == 1000
    assert [(place.machine, place.state, place.seconds) for place in found.places] == [("machine", "ready", 0.0)]
    with pytest.raises(tunesmith.CallFailed) as caught:
        client.estimate_job("default", "tune")
    assert caught.value.code == "input_missing"
    assert client.list_jobs("default", method="tune") == []
