"""Files behind web addresses: marks, names, credentials, and servers that lie, stop, never stop or lead elsewhere."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from control_plane.connectors.http import CONNECTOR
from control_plane.domain.connectors import Bounds, Opened
from control_plane.domain.errors import (
    SourceAccessDenied,
    SourceAddressInvalid,
    SourceAddressPrivate,
    SourceCut,
    SourceFault,
    SourceGone,
    SourceRedirectsEndless,
    SourceRefused,
    SourceSilent,
    SourceTooLarge,
    SourceUnreachable,
)
from control_plane.outward import guard
from source_support import LIMIT, Server, fetch, saying, serving, wanted

OK = 'HTTP/1.1 200 OK\nContent-Length: 4\nETag: "one"'


def test_a_file_with_its_name_and_its_mark(tmp_path: Path) -> None:
    with serving(saying(OK, b"a,b\n")) as server:
        fetched, content = fetch(
            CONNECTOR, wanted(CONNECTOR, {"address": server.address("/way/n%20otes.csv?x=1")}), tmp_path
        )
        described = CONNECTOR.describe(wanted(CONNECTOR, {"address": server.address()}))
    assert (fetched.name, fetched.mark, fetched.unchanged, content) == ("n otes.csv", '"one"', False, b"a,b\n")
    assert [(one.name, one.size) for one in described.items] == [("data.csv", 4)]
    assert server.asked[0].startswith("GET /way/n%20otes.csv?x=1 HTTP/1.1")


def test_the_server_names_the_file(tmp_path: Path) -> None:
    head = OK + "\nContent-Disposition: attachment; filename*=UTF-8''Zahlen%20M%C3%A4rz.csv"
    with serving(saying(head, b"a,b\n")) as server:
        assert fetch(CONNECTOR, wanted(CONNECTOR, {"address": server.address()}), tmp_path)[0].name == "Zahlen März.csv"


def test_what_has_not_changed_is_not_sent_again(tmp_path: Path) -> None:
    with serving(saying("HTTP/1.1 304 Not Modified")) as server:
        fetched, content = fetch(CONNECTOR, wanted(CONNECTOR, {"address": server.address()}, mark='"one"'), tmp_path)
    assert fetched.unchanged and fetched.mark == '"one"' and content == b""
    assert 'If-None-Match: "one"' in server.asked[0]


@pytest.mark.parametrize(
    ("head", "body", "fault"),
    [
        ("HTTP/1.1 200 OK\nContent-Length: 10", b"half", SourceCut),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"4\r\nhalf\r\n", SourceCut),
        ("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"zz\r\nhalf\r\n", SourceCut),
        (f"HTTP/1.1 200 OK\nContent-Length: {LIMIT + 1}", b"", SourceTooLarge),
        ("HTTP/1.1 200 OK", b"x" * (LIMIT + 1), SourceTooLarge),
        ("HTTP/1.1 404 Not Found\nContent-Length: 0", b"", SourceGone),
        ("HTTP/1.1 403 Forbidden\nContent-Length: 0", b"", SourceAccessDenied),
        ("HTTP/1.1 500 Oh\nContent-Length: 0", b"", SourceRefused),
        ("HTTP/1.1 302 Found\nContent-Length: 0", b"", SourceRefused),
        ("SSH-2.0-OpenSSH_9.6", b"", SourceUnreachable),
        ("HTTP/1.1 200 OK\n" + "X: y\n" * 5_000, b"", SourceUnreachable),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(head: str, body: bytes, fault: type[SourceFault], tmp_path: Path) -> None:
    with serving(saying(head, body)) as server, pytest.raises(fault):
        fetch(CONNECTOR, wanted(CONNECTOR, {"address": server.address()}), tmp_path)


@pytest.mark.parametrize("length", ["-5", "٣", "4, 4", "9" * 40, "nonsense"])
def test_a_length_that_is_none_is_passed_over(length: str, tmp_path: Path) -> None:
    head = f"HTTP/1.1 200 OK\nContent-Length: {length}".encode().decode("latin-1")
    with serving(saying(head, b"a,b\n")) as server:
        try:
            _, content = fetch(CONNECTOR, wanted(CONNECTOR, {"address": server.address()}), tmp_path)
        except SourceFault:
            return
    assert content == b"a,b\n"


def test_a_body_that_never_ends_is_cut_at_the_limit(tmp_path: Path) -> None:
    def endless(connection: socket.socket, _: str) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    with serving(endless) as server, pytest.raises(SourceTooLarge):
        fetch(CONNECTOR, wanted(CONNECTOR, {"address": server.address()}), tmp_path)
    assert (tmp_path / "content").stat().st_size <= LIMIT


@pytest.mark.parametrize("head", ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
def test_a_server_that_falls_silent(head: str, tmp_path: Path) -> None:
    def silent(connection: socket.socket, _: str) -> None:
        connection.sendall(head.encode())
        connection.recv(1)  # until the other side has had enough

    bounds = Bounds(LIMIT, 60, silence_seconds=0.2)
    with serving(silent) as server, pytest.raises(SourceSilent):
        fetch(CONNECTOR, wanted(CONNECTOR, {"address": server.address()}, bounds=bounds), tmp_path)


def test_nobody_listens(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SourceUnreachable):
        fetch(CONNECTOR, wanted(CONNECTOR, {"address": f"http://127.0.0.1:{port}/"}), tmp_path)


# ---- addresses inside


PRIVATE = (
    "http://127.0.0.1/", "http://localhost/", "http://[::1]/", "http://0.0.0.0/", "http://[::]/", "http://10.1.2.3/",
    "http://172.16.0.1/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/",
    "http://[fd00::1]/", "http://[fe80::1%25lo]/", "http://[::ffff:127.0.0.1]/", "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/", "http://[::127.0.0.1]/", "http://224.0.0.1/", "http://255.255.255.255/",
    "http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://[fd00:ec2::254]/",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_inside_is_refused_before_anything_is_sent(address: str, tmp_path: Path) -> None:
    with pytest.raises((SourceAddressPrivate, SourceAddressInvalid, SourceUnreachable)) as refused:
        fetch(CONNECTOR, wanted(CONNECTOR, {"address": address}, opened=Opened()), tmp_path)
    assert not isinstance(refused.value.__cause__, ConnectionError)  # nobody was connected to


def test_a_redirect_inside_is_refused(tmp_path: Path) -> None:
    with serving(saying(OK, b"a,b\n"), "127.0.0.2") as inside:
        target = f"http://127.0.0.2:{inside.port}/secret"
        with serving(saying(f"HTTP/1.1 302 Found\nLocation: {target}\nContent-Length: 0")) as server:
            with pytest.raises(SourceAddressPrivate):
                only = Opened(networks="127.0.0.1")
                fetch(CONNECTOR, wanted(CONNECTOR, {"address": server.address()}, opened=only), tmp_path)
            assert fetch(CONNECTOR, wanted(CONNECTOR, {"address": server.address()}), tmp_path)[1] == b"a,b\n"
    assert len(inside.asked) == 1


def test_what_was_checked_is_what_is_connected_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means an allowed address once and an inner one the next time (DNS rebinding)."""
    meanings = iter(["127.0.0.1", "127.0.0.2"])
    real = socket.getaddrinfo

    def rebinding(host: str, *more: Any, **named: Any) -> Any:
        return real(next(meanings) if host == "rebinding.test" else host, *more, **named)

    monkeypatch.setattr(guard.socket, "getaddrinfo", rebinding)
    with serving(saying(OK, b"a,b\n")) as server:
        address, only = f"http://rebinding.test:{server.port}/", Opened(networks="127.0.0.1")
        assert fetch(CONNECTOR, wanted(CONNECTOR, {"address": address}, opened=only), tmp_path)[1] == b"a,b\n"
        with pytest.raises(SourceAddressPrivate):
            fetch(CONNECTOR, wanted(CONNECTOR, {"address": address}, opened=only), tmp_path)
    assert f"Host: rebinding.test:{server.port}" in server.asked[0]


def test_a_server_listens_at_the_second_address_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def several(host: str, *more: Any, **named: Any) -> Any:
        meant = ["127.0.0.2", "127.0.0.1"] if host == "several.test" else [host]
        return [one for each in meant for one in real(each, *more, **named)]

    monkeypatch.setattr(guard.socket, "getaddrinfo", several)
    with serving(saying(OK, b"a,b\n")) as server:
        address = f"http://several.test:{server.port}/"
        assert fetch(CONNECTOR, wanted(CONNECTOR, {"address": address}), tmp_path)[1] == b"a,b\n"


@pytest.mark.parametrize(
    "address",
    [
        "ftp://example.org/x", "file:///etc/passwd", "http://", "https://user:hunter22@example.org/", "http://a b/",
        "//x/y", "http://example.org:0/", "http://example.org:99999/", "http://[::1/", "http://exa\nmple.org/",
        "gopher://x", "http://" + "a" * 300,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_without_its_password(address: str, tmp_path: Path) -> None:
    with pytest.raises((SourceAddressInvalid, SourceUnreachable)) as refused:
        fetch(CONNECTOR, wanted(CONNECTOR, {"address": address}), tmp_path)
    assert "hunter22" not in f"{refused.value} {refused.value.params}"


# ---- redirects and credentials


def test_redirects_that_never_end(tmp_path: Path) -> None:
    round_and_round = saying("HTTP/1.1 302 Found\nLocation: /again\nContent-Length: 0")
    with serving(round_and_round) as server, pytest.raises(SourceRedirectsEndless):
        fetch(CONNECTOR, wanted(CONNECTOR, {"address": server.address()}), tmp_path)
    assert len(server.asked) == 6


@pytest.mark.parametrize(("user", "header"), [("", "Bearer hunter22"), ("ada", "Basic YWRhOmh1bnRlcjIy")])
def test_credentials_go_to_the_one_who_was_named(user: str, header: str, tmp_path: Path) -> None:
    def leading(to: Server) -> str:
        return f"HTTP/1.1 307 Over there\nLocation: {to.address('/there')}\nContent-Length: 0"

    with serving(saying(OK, b"a,b\n")) as stranger, serving(saying(leading(stranger))) as server:
        given = wanted(CONNECTOR, {"address": server.address(), "user": user}, {"password": "hunter22"})
        assert fetch(CONNECTOR, given, tmp_path)[1] == b"a,b\n"
    assert f"Authorization: {header}" in server.asked[0]
    assert "Authorization" not in stranger.asked[0]  # at another port, so another server
