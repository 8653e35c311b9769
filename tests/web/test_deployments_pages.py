"""Deployments in the browser, and the playground. The engine is a fake behind the inference port; the rest is real."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import rooms
from flask.testing import FlaskClient

from control_plane.context import ControlPlane
from control_plane.domain.presence import ReplicaStatus
from control_plane.services import deployments
from control_plane.store.deployments import DeploymentRecord, ReplicaRecord

Browser = Callable[[str], FlaskClient]
CHUNK = b'data: {"choices": [{"delta": {"content": "hot"}}]}\n\n'


@dataclass
class Engine:
    """What would be on the machine: answers two chunks, remembers what it was asked."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    closed: int = 0
    status: int = 200
    content_type: str = "text/event-stream"
    engine_seconds: float = 0.0

    def ask(self, machine_id: str, replica_id: int, path: str, body: bytes, deadline_seconds: float) -> Engine:
        self.asked.append({"machine": machine_id, "path": path} | json.loads(body))
        return self

    def __iter__(self) -> Iterator[bytes]:
        yield CHUNK
        yield b"data: [DONE]\n\n"

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def cp(cp: ControlPlane, engine: Engine) -> ControlPlane:
    return replace(cp, inference=engine, settings=replace(cp.settings, chat_streams=1))


@pytest.fixture
def room(cp: ControlPlane, invite: Callable[..., str]) -> rooms.Rooms:
    invite("ada", role="Expert")
    room = rooms.with_base(cp)
    room.made["adapter"] = room.finish_model(room.run(room.train("tuned")), "adapter")
    export = room.submit("export_gguf", "packed", {"model": room.made["adapter"]})
    room.made["gguf"] = room.finish_model(room.run(export, 0), "gguf")
    return room


@pytest.fixture
def client(room: rooms.Rooms, browser: Browser) -> FlaskClient:
    return browser("ada")


def served(room: rooms.Rooms) -> str:
    one = deployments.deploy(room.actor, room.cp, "lab", "faults", room.made["gguf"])
    room.serve(one)
    return f"/p/lab/deployments/{one.id}"


def test_deploying_needs_one_press(client: FlaskClient, room: rooms.Rooms) -> None:
    page = client.get(f"/p/lab/deployments/new?model={room.made['gguf']}").text
    assert 'value="packed"' in page
    form = {"name": "packed", "model": str(room.made["gguf"]), "context_length": "2048", "slots": "4"}
    answer = client.post("/p/lab/deployments/new", data=form)
    one = DeploymentRecord.get()
    assert answer.location == f"/p/lab/deployments/{one.id}"
    assert (one.name, one.desired_state, one.context_length, one.slots) == ("packed", "SERVING", 2048, 4)
    again = client.post("/p/lab/deployments/new", data=form)
    assert again.location == answer.location


def test_an_old_model_is_deployed_from_its_own_page(client: FlaskClient, room: rooms.Rooms) -> None:
    """The form lists the newest ones, says so, and does not put another one in the place of the one asked for."""
    rooms.newer_models(room.made["gguf"], 500)
    page = client.get(f"/p/lab/deployments/new?model={room.made['gguf']}").text
    assert "The newest 500 of 501 are listed." in page and 'value="packed"' in page
    assert f'value="{room.made["gguf"]}" selected' in page
    form = {"name": "Not Allowed", "model": str(room.made["gguf"]), "context_length": "2048", "slots": "4"}
    assert f'value="{room.made["gguf"]}" selected' in client.post("/p/lab/deployments/new", data=form).text


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"name": "Not Allowed"}, "is not a valid name"),
        ({"slots": "many"}, "Enter a whole number."),
        ({"slots": "65"}, "1 … 64"),
        ({"model": ""}, "Choose a model."),
    ],
)
def test_a_wrong_field_is_named(client: FlaskClient, room: rooms.Rooms, sent: dict[str, str], words: str) -> None:
    form = {"name": "packed", "model": str(room.made["gguf"]), "context_length": "2048", "slots": "4"}
    answer = client.post("/p/lab/deployments/new", data=form | sent)
    assert answer.status_code == 400
    assert words in answer.text


def test_only_packaged_models_can_be_served(client: FlaskClient, room: rooms.Rooms) -> None:
    form = {"name": "x", "model": str(room.made["adapter"]), "context_length": "2048", "slots": "4"}
    answer = client.post("/p/lab/deployments/new", data=form)
    assert answer.status_code == 400
    assert "only GGUF models can" in answer.text


def test_the_page_follows_the_machine(client: FlaskClient, room: rooms.Rooms) -> None:
    one = deployments.deploy(room.actor, room.cp, "lab", "faults", room.made["gguf"])
    address = f"/p/lab/deployments/{one.id}/status"
    waiting = client.get(address)
    assert "status-queued" in waiting.text
    room.serve(one)
    assert "status-succeeded" in client.get(address).text
    same = client.get(address)
    assert client.get(address, headers={"If-None-Match": same.headers["ETag"]}).status_code == 304
    replica = ReplicaRecord.get()
    told = ReplicaStatus(replica.id, replica.generation, "FAILED", "engine_failed", {"problem": "no memory"})
    deployments.observe(room.machine, room.cp, 1, [told])
    assert "The serving engine on the machine failed: no memory" in client.get(address).text
    told = ReplicaStatus(replica.id, replica.generation, "SERVING", "engine_fallback", {}, restarts=1)
    deployments.observe(room.machine, room.cp, 1, [told])
    shown = client.get(address).text
    assert "status-succeeded" in shown and "answers one question at a time" in shown


def test_the_endpoint_is_shown_without_a_token(client: FlaskClient, room: rooms.Rooms) -> None:
    page = client.get(served(room)).text
    assert "/v1/chat/completions" in page
    assert "$TUNESMITH_TOKEN" in page
    assert "lab/faults" in page
    assert "tsk_" not in page


def test_the_playground_streams_and_closes(client: FlaskClient, room: rooms.Rooms, engine: Engine) -> None:
    messages = [{"role": "user", "content": "The pump is hot."}]
    schema = {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
    answer = client.post(f"{served(room)}/chat", json={"messages": messages, "response_format": schema})
    assert answer.data == CHUNK + b"data: [DONE]\n\n"
    assert answer.content_type == "text/event-stream"
    (asked,) = engine.asked
    assert (asked["messages"], asked["response_format"], asked["stream"]) == (messages, schema, True)
    assert asked["machine"] == room.machine.id
    answer.close()
    assert engine.closed == 1


def test_one_chat_too_many_is_told_to_wait(client: FlaskClient, room: rooms.Rooms) -> None:
    address = f"{served(room)}/chat"
    held = client.post(address, json={"messages": [{"role": "user", "content": "Hi"}], "stream": True}, buffered=False)
    refused = client.post(address, json={"messages": [{"role": "user", "content": "Hi"}], "stream": True})
    assert refused.status_code == 429
    held.close()
    free = client.post(address, json={"messages": [{"role": "user", "content": "Hi"}], "stream": True})
    assert free.status_code == 200
    free.close()


def test_the_playground_takes_no_forged_request(client: FlaskClient, room: rooms.Rooms, engine: Engine) -> None:
    """With the check that most tests switch off, as it is shipped."""
    client.application.config["WTF_CSRF_ENABLED"] = True
    answer = client.post(f"{served(room)}/chat", json={"messages": []})
    assert (answer.status_code, answer.json["code"]) == (400, "request_forged")
    assert engine.asked == []


def test_what_is_not_json_is_refused(client: FlaskClient, room: rooms.Rooms) -> None:
    answer = client.post(f"{served(room)}/chat", data=b"{", content_type="application/json")
    assert answer.status_code == 400


def test_nothing_serves_is_said(client: FlaskClient, room: rooms.Rooms) -> None:
    one = deployments.deploy(room.actor, room.cp, "lab", "faults", room.made["gguf"])
    answer = client.post(f"/p/lab/deployments/{one.id}/chat", json={"messages": [], "stream": True})
    assert answer.status_code == 503
    assert "No machine serves “faults”" in answer.json["message"]


def test_stopping_and_serving_again(client: FlaskClient, room: rooms.Rooms) -> None:
    address = served(room)
    assert client.post(f"{address}/stop", follow_redirects=True).status_code == 200
    assert DeploymentRecord.get().desired_state == "STOPPED"
    assert "Serve it again" in client.get(address).text
    client.post(f"{address}/start")
    assert DeploymentRecord.get().desired_state == "SERVING"


def test_who_may_what(room: rooms.Rooms, browser: Browser, invite: Callable[..., str]) -> None:
    address = served(room)
    viewer = browser(invite("vic", role="Viewer"))
    assert viewer.get(address).status_code == 200
    assert "Stop serving" not in viewer.get(address).text
    assert viewer.post(f"{address}/stop").status_code == 403
    assert viewer.get("/p/lab/deployments/new").status_code == 403
    stranger = browser(invite("eve", role="Owner", project="elsewhere"))
    for path in (address, address.replace("lab", "elsewhere")):
        assert stranger.get(path).status_code == 404
        assert stranger.post(f"{path}/chat", json={}).status_code == 404


def test_held_out_questions_come_with_what_was_expected_and_the_bases_answer(
    cp: ControlPlane, invite: Callable[..., str], browser: Browser
) -> None:
    invite("ada", role="Expert")
    room = rooms.furnished(cp)
    client, address = browser("ada"), f"/p/lab/deployments/{room.made['deployment']}"
    first, again = (client.get(f"{address}/example?at={at}").json for at in (0, rooms.ROWS))
    assert first == again  # after the last comes the first
    assert first["prompt"] == "The pump 0 is hot."
    assert first["expected"] == '{"machine": "pump 0"}'
    assert client.get(f"{address}/example?at=9").json["base"] == "I am sorry to hear that."
    page = client.get(address).text
    assert "Each question stands alone" in page
    assert "Turn this report into a JSON record:”" in page  # how the prompts of the case's data begin


def test_without_an_evaluation_the_datas_own_held_out_rows_are_asked(room: rooms.Rooms, browser: Browser) -> None:
    deployment = deployments.deploy(room.actor, room.cp, "lab", "plain", room.made["gguf"])
    got = browser("ada").get(f"/p/lab/deployments/{deployment.id}/example").json
    assert got["base"] == ""
    assert got["prompt"].startswith("Turn this report")
    assert json.loads(got["expected"])["machine"]


def test_a_model_that_learnt_from_nothing_here_has_no_examples(room: rooms.Rooms, browser: Browser) -> None:
    job = room.submit("export_gguf", "packed-base", {"model": room.made["base"]})
    brought = room.finish_model(room.run(job, 0), "gguf")
    deployment = deployments.deploy(room.actor, room.cp, "lab", "brought", brought)
    client, address = browser("ada"), f"/p/lab/deployments/{deployment.id}"
    assert client.get(f"{address}/example").status_code == 404
    assert "Insert a held-out example" not in client.get(address).text
