"""Objects of buckets, from a server that speaks S3: moto's, in a thread of the test."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from control_plane.connectors.s3 import CONNECTOR
from control_plane.domain.connectors import Opened
from control_plane.domain.errors import SourceAccessDenied, SourceAddressPrivate, SourceGone, SourceRefused
from source_support import fetch, saying, serving, wanted

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server with one bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="AK", aws_secret_access_key=SECRET
    )
    client.create_bucket(Bucket="notes")
    client.put_object(Bucket="notes", Key="2026/june & july.csv", Body=b"q,a\n1,2\n")
    client.put_object(Bucket="notes", Key="other.csv", Body=b"q,a\n3,4\n")
    yield address
    server.stop()


def asked(endpoint: str, key: str = "2026/june & july.csv", **more: Any) -> Any:
    given = {"bucket": "notes", "key": key, "endpoint": endpoint, "access_key": "AK"}
    return wanted(CONNECTOR, {name: one for name, one in given.items() if one}, {"secret_key": SECRET}, **more)


def test_what_is_in_the_bucket(endpoint: str) -> None:
    every = CONNECTOR.describe(asked(endpoint, ""))
    assert [(one.name, one.size) for one in every.items] == [("2026/june & july.csv", 8), ("other.csv", 8)]
    below = CONNECTOR.describe(asked(endpoint, "2026/x"))
    assert [one.parameters for one in below.items] == [{"key": "2026/june & july.csv"}]


def test_an_object_and_the_same_again(endpoint: str, tmp_path: Path) -> None:
    first, content = fetch(CONNECTOR, asked(endpoint), tmp_path)
    assert (first.name, content) == ("june & july.csv", b"q,a\n1,2\n")
    assert first.mark.startswith('"')
    again, content = fetch(CONNECTOR, asked(endpoint, mark=first.mark), tmp_path)
    assert again.unchanged and content == b""


def test_what_is_not_there(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(SourceGone):
        fetch(CONNECTOR, asked(endpoint, "gone.csv"), tmp_path)


def test_a_server_inside_has_to_be_opened(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(SourceAddressPrivate):
        fetch(CONNECTOR, asked(endpoint, opened=Opened()), tmp_path)


def test_the_request_is_signed_and_the_key_is_not_sent(tmp_path: Path) -> None:
    with serving(saying("HTTP/1.1 403 Forbidden\nContent-Length: 0")) as server, pytest.raises(SourceAccessDenied):
        fetch(CONNECTOR, asked(server.address("")), tmp_path)
    assert "Authorization: AWS4-HMAC-SHA256 Credential=AK/" in server.asked[0]
    assert SECRET not in server.asked[0]


def test_without_an_access_key_nothing_is_signed(tmp_path: Path) -> None:
    with serving(saying("HTTP/1.1 200 OK\nContent-Length: 2", b"x\n")) as server:
        given = {"bucket": "open", "key": "a.csv", "endpoint": server.address("")}
        assert fetch(CONNECTOR, wanted(CONNECTOR, given), tmp_path)[1] == b"x\n"
    assert "Authorization" not in server.asked[0] and server.asked[0].startswith("GET /open/a.csv ")


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>"""


@pytest.mark.parametrize("body", [b"", b"<html>no bucket", BOMB])
def test_a_list_that_is_none_is_refused(body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\nContent-Length: {len(body)}"
    with serving(saying(head, body)) as server, pytest.raises(SourceRefused):
        CONNECTOR.describe(asked(server.address("")))
