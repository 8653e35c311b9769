"""Files of datasets on a hub. The Hugging Face Hub cannot be reached from tests: a server stands in that gives the two
answers which the connector takes, in the form that the Hub's API documents."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from control_plane.connectors.hub import CONNECTOR
from control_plane.domain.connectors import Opened
from control_plane.domain.errors import (
    SourceAccessDenied,
    SourceFilesSeveral,
    SourceFormatUnfit,
    SourceGone,
    SourceOffline,
    SourceRefused,
)
from control_plane.outward import guard
from source_support import HERE, Answering, fetch, saying, serving, wanted

TOKEN = "hf_canaryToken"


def hub(*files: str) -> Answering:
    """A dataset with these files, each of which says its own name."""
    listed = {"siblings": [{"rfilename": name, "size": 7, "blobId": f"blob-{name}"} for name in files]}
    listed["siblings"][0]["lfs"] = {"sha256": "a" * 64, "size": 9}  # type: ignore[assignment]

    def answer(connection: socket.socket, head: str) -> None:
        body = json.dumps(listed).encode() if head.startswith("GET /api/") else head.split()[1].encode()
        saying(f"HTTP/1.1 200 OK\nContent-Length: {len(body)}", body)(connection, head)

    return answer


def asked(port: int, mark: str = "", **given: Any) -> Any:
    opened = Opened(networks=HERE, hub=f"http://127.0.0.1:{port}/")
    return wanted(CONNECTOR, {"dataset": "lab/faults", **given}, {"token": TOKEN}, opened=opened, mark=mark)


def test_the_file_to_learn_from(tmp_path: Path) -> None:
    files = ("data/train-00000.parquet", "data/test-00000.parquet", "README.md", ".gitattributes", "dataset_infos.json")
    with serving(hub(*files)) as server:
        described = CONNECTOR.describe(asked(server.port))
        first, content = fetch(CONNECTOR, asked(server.port), tmp_path)
        again, _ = fetch(CONNECTOR, asked(server.port, first.mark), tmp_path)
        named, _ = fetch(CONNECTOR, asked(server.port, file="data/test-00000.parquet", revision="v 1"), tmp_path)
    assert [(one.name, one.size) for one in described.items] == [(files[0], 9), (files[1], 7)]
    assert (first.name, first.mark) == ("train-00000.parquet", "a" * 64)
    assert content == b"/datasets/lab/faults/resolve/main/data/train-00000.parquet"
    assert again.unchanged and named.name == "test-00000.parquet"
    assert any("/revision/v%201?blobs=true" in head for head in server.asked)
    assert all(f"Authorization: Bearer {TOKEN}" in head for head in server.asked)


def test_what_cannot_be_chosen(tmp_path: Path) -> None:
    with serving(hub("train-1.csv", "train-2.csv")) as server, pytest.raises(SourceFilesSeveral) as several:
        fetch(CONNECTOR, asked(server.port), tmp_path)
    assert several.value.params["files"] == ["train-1.csv", "train-2.csv"]
    with serving(hub("README.md")) as server:
        with pytest.raises(SourceFormatUnfit):
            fetch(CONNECTOR, asked(server.port), tmp_path)
        with pytest.raises(SourceGone):
            fetch(CONNECTOR, asked(server.port, file="none.csv"), tmp_path)


@pytest.mark.parametrize(
    ("head", "body", "fault"),
    [
        ("HTTP/1.1 404 Not Found", b"", SourceGone),
        ("HTTP/1.1 401 Unauthorized", b"", SourceAccessDenied),
        ("HTTP/1.1 200 OK", b"<html>", SourceRefused),
        ("HTTP/1.1 200 OK", b"[]", SourceRefused),
        ("HTTP/1.1 200 OK", b'{"siblings": [{}]}', SourceRefused),
        ("HTTP/1.1 503 Busy", b"", SourceRefused),
    ],
)
def test_an_answer_that_is_none(head: str, body: bytes, fault: type[Exception], tmp_path: Path) -> None:
    with serving(saying(f"{head}\nContent-Length: {len(body)}", body)) as server, pytest.raises(fault):
        fetch(CONNECTOR, asked(server.port), tmp_path)


@pytest.mark.parametrize("number", [socket.EAI_AGAIN, socket.EAI_NONAME])
def test_without_a_network_it_is_said_so(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody_knows(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "name resolution failed")

    monkeypatch.setattr(guard.socket, "getaddrinfo", nobody_knows)
    given = wanted(CONNECTOR, {"dataset": "lab/faults"}, opened=Opened(hub="https://hub.example.org"))
    with pytest.raises(SourceOffline):
        fetch(CONNECTOR, given, tmp_path)
    with pytest.raises(SourceOffline):
        CONNECTOR.describe(given)
