"""Data from a source by client and command: looked at, fetched, fetched again, at set times, and let go."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from client_support import Installation
from data_support import ROWS

import tunesmith
from control_plane.services.access import identity, people
from control_plane.services.datasets import connectors, preparing
from control_plane.store.people import UserRecord
from control_plane.store.sources import SourceRecord
from source_support import OPENED, saying, serving
from tunesmith import cli
from tunesmith.connection import CallFailed

PASSWORD = "hunter2-canary"


@pytest.fixture
def carried_on(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """An installation whose drafts are carried on as by its ticks, and that may fetch from this machine."""
    monkeypatch.setattr(connectors, "opened", lambda _: OPENED)
    cp = installation.cp
    unsubscribe = cp.signals.subscribe(["schedule"], lambda _: preparing.advance(cp))
    yield installation
    unsubscribe()
    cp.preparations.close()


def run(installation: Installation, *arguments: str, typed: str = "") -> Result:
    data = str(installation.cp.settings.data)
    return CliRunner().invoke(cli.main, ["--json", "--data", data, "datasets", *arguments], input=typed)


def test_from_an_address_to_versions_by_commands(carried_on: Installation, client: tunesmith.Client) -> None:
    content = [ROWS]

    def answer(connection: socket.socket, head: str) -> None:
        size = len(content[0])
        saying(f"HTTP/1.1 200 OK\nContent-Length: {size}", content[0])(connection, head)

    with serving(answer) as server:
        address = f"address={server.address('/faults.jsonl')}"
        secret = ("--secret", "password")
        listed = json.loads(run(carried_on, "connectors").output)
        assert {"folder", "http", "s3", "postgresql", "mysql", "sqlite", "hub"} == {one["name"] for one in listed}
        (item,) = json.loads(run(carried_on, "look", "http", address, *secret, typed=f"{PASSWORD}\n").output)
        assert (item["name"], item["size"]) == ("faults.jsonl", len(ROWS))
        assert f"Bearer {PASSWORD}" in server.asked[0]
        draft = json.loads(run(carried_on, "fetch", "http", address, *secret, typed=f"{PASSWORD}\n").output)
        assert (draft["state"], draft["name"], draft["source_id"] > 0) == ("ready", "faults", True)
        run(carried_on, "save", str(draft["id"]))
        same = json.loads(run(carried_on, "refresh", "faults").output)
        assert same["number"] == 1
        content[0] = ROWS.replace(b"p1", b"q1")
        assert json.loads(run(carried_on, "refresh", "faults").output)["number"] == 2
        (source,) = json.loads(run(carried_on, "sources").output)
        assert (source["dataset"], source["has_secrets"], source["error"]) == ("faults", True, "")
        made = client.list_datasets("default")[0]
        client.edit_rows(made.id, "train", removed=[1])
        content[0] = ROWS.replace(b"p1", b"r1")
        stopped = run(carried_on, "refresh", "faults")
        assert stopped.exit_code == 1 and "Version 3 did not come from the source" in stopped.output
        assert json.loads(run(carried_on, "refresh", "faults", "--overwrite").output)["number"] == 4
        content[0] = b""
        failed = run(carried_on, "refresh", "faults")
        assert failed.exit_code == 1 and "contains no rows" in failed.output
        assert "contains no rows" in client.get_source(source["id"]).message
    wished = run(carried_on, "schedule", "faults", "--cron", "0 6 * * mon", "--time-zone", "Europe/Berlin")
    assert json.loads(wished.output)["schedule"]["cron"] == "0 6 * * mon" and json.loads(wished.output)["next_at"] > 0
    assert json.loads(run(carried_on, "schedule", "faults").output)["next_at"] == 0
    assert run(carried_on, "forget", "faults").exit_code == 0
    assert not SourceRecord.select().exists() and client.list_sources("default") == []
    assert "does not come from a source" in run(carried_on, "refresh", "faults").output


def test_who_only_looks_is_not_told_the_address(carried_on: Installation, client: tunesmith.Client) -> None:
    signed = "https://example.org/faults.jsonl?signature=abcdef"
    number = client.begin_source("default", "http", {"address": signed}).source_id
    dataset = client.upload_dataset("default", "faults", ROWS).thing.id
    SourceRecord.update(dataset=dataset).where(SourceRecord.id == number).execute()
    client.invite_user("vic", project="default", role="Viewer")
    vic = identity.actor_of(UserRecord.get(UserRecord.name == "vic"), "")
    with carried_on.connect(people.create_token(vic, carried_on.cp, "script")[0]) as viewer:
        assert "abcdef" not in f"{viewer.get_source(number)} {viewer.list_sources('default')}"
        assert viewer.get_source(number).label == "faults.jsonl"
    assert "abcdef" in client.get_source(number).parameters


def test_what_is_refused_is_said(carried_on: Installation, client: tunesmith.Client) -> None:
    for arguments, said in (
        (("look", "none"), "There is no connector"),
        (("look", "http", "address=ftp://x"), "is not an address that can be fetched"),
        (("look", "http", "address"), "lacks"),
        (("fetch", "postgresql", "host=db"), "is missing"),
        (("fetch", "postgresql", "host=db", "database=x", "user=x", "query=x", "port=many"), "port"),
        (("fetch", "folder", "file=x"), "opened no folder"),
        (("fetch", "http", "address=http://x", "--secret", "token"), "token"),
    ):
        refused = run(carried_on, *arguments, typed=f"{PASSWORD}\n")
        assert refused.exit_code != 0 and said in refused.output, (arguments, refused.output)
        assert PASSWORD not in refused.output
    for parameters in ("[]", "{", '"x"'):
        with pytest.raises(CallFailed):
            client._ask(  # what the client itself does not send
                tunesmith.client.pb.Draft,
                client._stub.BeginSource,
                tunesmith.client.pb.BeginSourceRequest(project="default", connector="http", parameters=parameters),
            )
    draft = client.begin_source("default", "http", {"address": "https://example.org/a"}, {"password": PASSWORD})
    assert PASSWORD not in str(client.get_source(draft.source_id))
    with pytest.raises(CallFailed, match="not saved as a dataset yet"):
        client.refresh_source(draft.source_id)
