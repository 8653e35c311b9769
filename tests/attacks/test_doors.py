"""What strangers can do to the doors of a real server: memory, connections."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import psutil
import pytest

from control_plane.authority import open_authority
from control_plane.single_start import Running
from patience import LONG, PATIENCE, wait_until
from server_process import free_environment, started, wait_ready
from tunesmith.v1 import fleet_pb2 as pb
from tunesmith.v1 import fleet_pb2_grpc

MIB = 1 << 20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(data: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    """A real server; `indirect` parameters are its settings."""
    environment = free_environment(data, **getattr(request, "param", {}))
    with started(environment) as process:
        yield wait_ready(environment, process)


def resident(server: Running) -> int:
    """Bytes in memory of the server's processes."""
    arbiter = psutil.Process(server.pid)
    return sum(process.memory_info().rss for process in (arbiter, *arbiter.children()))


def test_a_stranger_cannot_fill_the_memory(server: Running, data: Path) -> None:
    """40 calls at once, each with a signing request of 15 MB and no token that is worth anything."""
    request = pb.EnrollRequest(token="x.y", csr=bytes(15_000_000), hostname="h", agent_version="0.1.0")
    before = resident(server)

    def call(_: int) -> grpc.StatusCode:
        credentials = grpc.ssl_channel_credentials(open_authority(data).pem)
        own = [("grpc.use_local_subchannel_pool", 1)]
        with (
            grpc.secure_channel(server.api_address, credentials, own) as channel,
            pytest.raises(grpc.RpcError) as refusal,
        ):
            fleet_pb2_grpc.EnrollmentStub(channel).Enroll(request, timeout=PATIENCE)
        return refusal.value.code()  # type: ignore[no-any-return,attr-defined]

    with ThreadPoolExecutor(10) as callers:
        codes = set(callers.map(call, range(40)))
    assert resident(server) - before < 100 * MIB
    assert codes == {grpc.StatusCode.RESOURCE_EXHAUSTED}


# ---- connections of the web


HALF = b"GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Half: "
BODY = (
    b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 1000\r\n\r\nname="
)
many_loopbacks = pytest.mark.skipif(sys.platform != "linux", reason="this machine has one loopback address alone")


class Crowd:
    """Connections to the web port, each from one of several addresses of this machine."""

    def __init__(self, server: Running) -> None:
        found = urlsplit(server.web_url)
        self._place = (found.hostname, found.port)
        self._open = ExitStack()

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def connect(self, address: str = "127.0.0.1") -> socket.socket:
        """Another one, which the kernel has accepted at least."""
        made = socket.create_connection(self._place, timeout=PATIENCE, source_address=(address, 0))
        return self._open.enter_context(made)

    def come(self, count: int, sent: bytes) -> list[socket.socket]:
        """So many, 30 from each address, which send this and then nothing."""
        there = [self.connect(f"127.0.1.{number // 30 + 1}") for number in range(count)]
        for one in there:
            one.sendall(sent)
        return there

    def opens_a_page(self) -> bool:
        """Whether somebody else gets one."""
        browser = http.client.HTTPConnection(*self._place, timeout=PATIENCE)
        try:
            browser.request("GET", "/sign-in")
            return browser.getresponse().status == 200
        finally:
            browser.close()


def is_closed(connection: socket.socket) -> bool:
    """Whether the server ends it, sooner or later."""
    try:
        while connection.recv(65_536):
            pass
    except ConnectionResetError:
        pass
    return True  # or the test's patience has ended with a TimeoutError


def trickle(connection: socket.socket) -> None:
    """Send a byte every now and then, as long as the server takes them."""
    until = time.monotonic() + PATIENCE
    with suppress(OSError):
        while time.monotonic() < until:
            connection.sendall(b"x")
            time.sleep(0.1)
        pytest.fail("it was never cut")


@pytest.fixture
def crowd(server: Running) -> Iterator[Crowd]:
    with Crowd(server) as crowd:
        yield crowd


@pytest.mark.parametrize("server", [{"head_seconds": LONG}], indirect=True)
@pytest.mark.parametrize("sent", [HALF, b""])
@many_loopbacks
def test_half_sent_requests_stop_no_page(crowd: Crowd, sent: bytes) -> None:
    """120 that sent half a request, or nothing, and may go on for long: more than there are threads."""
    there = crowd.come(120, sent)
    assert crowd.opens_a_page()
    assert not hung_up(there[-1], 0)


@pytest.mark.parametrize("server", [{"head_seconds": 1}], indirect=True)
@pytest.mark.parametrize("sent", [HALF, b"GET /sign-in HTTP/1.1\r\nHost: x\r\n\r\n" + HALF])
@many_loopbacks
def test_heads_that_never_end_are_cut(crowd: Crowd, sent: bytes) -> None:
    there = crowd.come(120, sent)
    assert crowd.opens_a_page()
    assert is_closed(there[-1])


@pytest.mark.parametrize("server", [{"head_seconds": 1}], indirect=True)
def test_a_head_that_trickles_is_cut(crowd: Crowd) -> None:
    slow = crowd.connect()
    slow.sendall(HALF)
    trickle(slow)


@pytest.mark.parametrize("server", [{"body_silence_seconds": 1, "threads": 8}], indirect=True)
@many_loopbacks
def test_bodies_that_never_come_hold_no_thread_for_long(crowd: Crowd) -> None:
    there = crowd.come(16, BODY)
    assert crowd.opens_a_page()
    assert is_closed(there[0])


@pytest.mark.parametrize("server", [{"body_seconds": 1}], indirect=True)
def test_a_body_that_trickles_is_cut(crowd: Crowd) -> None:
    slow = crowd.connect()
    slow.sendall(BODY)
    trickle(slow)


# ---- those who do not take what they asked for


ASSET = b"GET /static/x/vendor/htmx/htmx.min.js HTTP/1.1\r\nHost: x\r\n\r\n"  # 52 kB that anybody may have
ANSWERS = 600  # of it: more than the kernel keeps for somebody who does not read
IMPATIENT = {"answer_silence_seconds": 2, "answer_bytes_per_second": 8192, "threads": 8}


def hung_up(connection: socket.socket, seconds: float) -> bool:
    """Whether the server ends it within that time, whatever lies there unread."""
    poll = select.poll()
    poll.register(connection, select.POLLERR | select.POLLHUP)
    return bool(poll.poll(seconds * 1000))


@pytest.mark.parametrize("server", [IMPATIENT], indirect=True)
@many_loopbacks
def test_silent_readers_hold_no_thread_for_long(crowd: Crowd) -> None:
    there = crowd.come(20, ASSET * ANSWERS)
    assert crowd.opens_a_page()
    assert all(hung_up(one, PATIENCE) for one in there)


@pytest.mark.parametrize("server", [IMPATIENT], indirect=True)
def test_a_reader_that_trickles_is_cut(crowd: Crowd) -> None:
    slow = crowd.connect()
    slow.sendall(ASSET * ANSWERS)
    until = time.monotonic() + PATIENCE
    while not hung_up(slow, 0.02):
        assert slow.recv(1)
        assert time.monotonic() < until


@pytest.mark.parametrize("server", [IMPATIENT], indirect=True)
def test_a_slow_and_steady_reader_gets_all_of_it(crowd: Crowd) -> None:
    """… although the kernel asks for more only when a third of its megabytes is gone, which takes longer than 2 s."""
    slow = crowd.connect()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    slow.sendall(ASSET * ANSWERS)
    taken, begun = 0, time.monotonic()
    while time.monotonic() - begun < 5:
        taken += len(slow.recv(32_768))
        time.sleep(0.1)
    slow.shutdown(socket.SHUT_WR)
    while data := slow.recv(1 << 20):
        taken += len(data)
    assert taken > ANSWERS * 52_000


@many_loopbacks
def test_who_asks_to_close_and_does_not_stops_no_page(crowd: Crowd) -> None:
    """gunicorn would wait two seconds for each of the 120, one after the other: longer than the page has patience."""
    there = crowd.come(120, b"GET /sign-in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert select.select(there[-1:], [], [], PATIENCE)[0]
    assert crowd.opens_a_page()
    assert is_closed(there[-1])


@pytest.mark.parametrize("server", [{"body_silence_seconds": LONG, "body_seconds": LONG}], indirect=True)
@many_loopbacks
def test_one_address_has_only_so_many_connections(crowd: Crowd) -> None:
    """… of which the idle ones make place for new ones; whoever comes from elsewhere sees nothing of it."""
    for number in range(100):
        browser = http.client.HTTPConnection(*crowd._place, timeout=PATIENCE, source_address=("127.0.0.5", 0))
        crowd._open.callback(browser.close)
        browser.request("GET", "/sign-in")
        assert browser.getresponse().read(), number  # and is kept alive
    held = [crowd.connect("127.0.0.6") for _ in range(40)]
    for one in held:
        one.sendall(BODY)
    wait_until(lambda: len(select.select(held, [], [], 0)[0]) >= 8)
    assert crowd.opens_a_page()
    assert len(select.select(held, [], [], 0)[0]) == 8


@pytest.mark.parametrize("server", [{"trusted_proxies": "127.0.0.0/8", "body_silence_seconds": LONG}], indirect=True)
def test_a_trusted_proxy_is_many(crowd: Crowd) -> None:
    held = [crowd.connect() for _ in range(40)]
    for one in held:
        one.sendall(BODY)
    assert crowd.opens_a_page()
    held[-1].sendall(b"x" * 995)
    assert held[-1].recv(65_536)


@many_loopbacks
def test_half_a_handshake_stops_no_page(tmp_path: Path) -> None:
    """With TLS a thread reads the head, for no longer than a head may take."""
    key, chain = open_authority(tmp_path / "authority").server_identity(frozenset({"127.0.0.1"}), time.time())
    (tmp_path / "key.pem").write_bytes(key)
    (tmp_path / "chain.pem").write_bytes(chain)
    files = {"web_certificate": tmp_path / "chain.pem", "web_key": tmp_path / "key.pem"}
    environment = free_environment(tmp_path / "data", head_seconds=1, **files)
    trust = ssl.create_default_context(cadata=open_authority(tmp_path / "authority").pem.decode())
    with started(environment) as process, Crowd(wait_ready(environment, process)) as crowd:
        there = crowd.come(120, b"\x16\x03\x01")
        browser = http.client.HTTPSConnection(*crowd._place, timeout=PATIENCE, context=trust)
        browser.request("GET", "/sign-in")
        assert browser.getresponse().status == 200
        browser.close()
        assert is_closed(there[-1])
