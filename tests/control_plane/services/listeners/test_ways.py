"""Each way to a listener: Slack's and Teams' form, TLS, mail to a real SMTP server, a Python function's process."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from certificate_support import Known, certificates
from listener_support import HERE, PROJECT, deliver, listens, owner, receiving, rows

from control_plane import apart
from control_plane.context import ControlPlane
from control_plane.domain.errors import FieldInvalid, MailNotSetUp, PythonListenerClosed
from control_plane.domain.listeners.ways import DELIVERED, checked_mail
from control_plane.domain.permissions import Actor
from control_plane.services.listeners import by_python, outbox
from control_plane.settings import Hidden
from control_plane.store.database import transaction
from control_plane.store.listeners import ListenerRecord
from control_plane.store.projects import ProjectRecord

HOSTILE = "<!channel> [x](https://evil.example) *&* <https://evil.example|here>"
SUBJECT = {"kind": "job", "id": 42, "name": "nightly", "title": HOSTILE}


@pytest.fixture
def database_address() -> str:
    """SQLite: what is told differs in no way by the database."""
    return ""


@pytest.fixture
def cp(cp: ControlPlane) -> ControlPlane:
    return replace(cp, settings=replace(cp.settings, listener_networks=HERE, delivery_seconds=20.0))


@pytest.fixture
def olga(cp: ControlPlane) -> Actor:
    return owner(cp)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    return certificates(tmp_path_factory.mktemp("authority"))


def sent_by(way: str, olga: Actor, cp: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a receiver gets by a way of which addresses have to begin with https."""
    with receiving() as receiver:
        listener, _ = listens(olga, cp, receiver.address, "job.failed")
        ListenerRecord.update(way=way).where(ListenerRecord.id == listener.id).execute()
        happens(cp)
        deliver(cp)
    assert "Tunesmith-Signature" not in receiver.heads[0]
    return receiver.told[0]


def happens(cp: ControlPlane) -> None:
    with transaction():
        outbox.tell(cp, "job.failed", ProjectRecord.get(ProjectRecord.name == PROJECT).id, SUBJECT)


def test_slack_gets_words_and_no_mention(cp: ControlPlane, olga: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    told = sent_by("slack", olga, cp, monkeypatch)
    assert "<!" not in told["text"] and "&lt;!channel&gt;" in told["text"]
    section, context = told["blocks"]
    assert section["text"]["type"] == "plain_text" and HOSTILE in section["text"]["text"]
    assert context["elements"][0]["text"] == f"Pumps · <http://127.0.0.1:8420/p/{PROJECT}/jobs/42|Open in Tunesmith>"


def test_teams_gets_a_card_of_plain_text(cp: ControlPlane, olga: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    told = sent_by("teams", olga, cp, monkeypatch)
    (attachment,) = told["attachments"]
    card = attachment["content"]
    assert (told["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}, "a TextBlock would follow the links in it"
    assert HOSTILE in card["body"][0]["inlines"][0]["text"]
    assert card["actions"][0]["url"].endswith("/jobs/42")


def test_a_certificate_is_held_to_the_name(
    cp: ControlPlane, olga: Actor, known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(known.authority))
    with receiving(tls=context_of(known, tmp_path)) as receiver:
        listens(olga, cp, f"https://localhost:{receiver.port}/", "job.failed")
        listens(olga, cp, f"https://127.0.0.1:{receiver.port}/", "job.failed")
        happens(cp)
        deliver(cp)
    assert [(row.outcome, row.error) for row in rows()] == [(DELIVERED, ""), ("", "listener_unreachable")]
    assert len(receiver.bodies) == 1


def context_of(known: Known, folder: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    for name, data in (("certificate", known.certificate), ("key", known.key)):
        (folder / name).write_bytes(data)
    context.load_cert_chain(folder / "certificate", folder / "key")
    return context


# ---- mail


class Mailbox:
    """What a mail server was brought; it refuses `nobody@…`."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, list[str], bytes]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


@contextmanager
def mail_server(context: ssl.SSLContext | None) -> Iterator[tuple[Mailbox, int]]:
    """A real SMTP server on loopback; with a context it asks for STARTTLS and for a password."""

    def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"robot", b"hunter2-canary"))

    box = Mailbox()
    secured = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": authenticator}
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()

    async def listening() -> asyncio.Server:
        return await loop.create_server(lambda: SMTP(box, **(secured if context else {})), "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(listening(), loop).result()
    try:
        yield box, server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def mailing(cp: ControlPlane, port: int, **changed: Any) -> ControlPlane:
    given = {"smtp_host": "localhost", "smtp_port": port, "smtp_sender": "tunesmith@example.org"}
    return replace(cp, settings=replace(cp.settings, **given | changed))


def test_a_mail_goes_by_starttls_with_a_password(
    cp: ControlPlane,
    olga: Actor,
    known: Known,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(known.authority))
    with mail_server(context_of(known, tmp_path)) as (box, port):
        cp = mailing(cp, port, smtp_user="robot", smtp_password=Hidden("hunter2-canary"))
        listens(olga, cp, "Team@example.org", "job.failed", way="mail")
        happens(cp)
        deliver(cp)
    assert [(row.outcome, row.code) for row in rows()] == [(DELIVERED, 250)]
    ((sender, recipients, content),) = box.mails
    mail = message_from_bytes(content, policy=default)
    assert (sender, recipients) == ("tunesmith@example.org", ["Team@example.org"])
    assert mail["Subject"].startswith("[Pumps] The job “<!channel>")
    assert mail["Message-ID"].startswith(f"<{rows()[0].payload['id']}.")
    assert mail.get_body() is not None and f"/p/{PROJECT}/jobs/42" in mail.get_content()
    assert "hunter2-canary" not in caplog.text + repr(cp.settings)


def test_a_server_without_encryption_or_with_a_strange_certificate_gets_no_mail(
    cp: ControlPlane, olga: Actor, known: Known, tmp_path: Path
) -> None:
    with mail_server(None) as (plain, port), mail_server(context_of(known, tmp_path)) as (strange, other):
        for one in (port, other):
            mine = mailing(cp, one)
            listens(olga, mine, "team@example.org", "job.failed", way="mail")
            happens(mine)
            deliver(mine)
            ListenerRecord.update(stopped=True).execute()
    assert plain.mails == strange.mails == []
    assert {row.error for row in rows()} == {"listener_unreachable"}


def test_a_mailbox_that_is_not_there_is_said_with_the_servers_code(cp: ControlPlane, olga: Actor) -> None:
    with mail_server(None) as (_, port):
        cp = mailing(cp, port, smtp_security="none")
        listens(olga, cp, "nobody@example.org", "job.failed", way="mail")
        happens(cp)
        deliver(cp)
    assert [(row.error, row.code) for row in rows()] == [("listener_refused", 550)]


def test_a_greeting_without_an_end_is_cut_off(cp: ControlPlane, olga: Actor) -> None:
    over, left = threading.Event(), threading.Event()

    def greet(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            while not over.wait(0.05):
                connection.sendall(b"220-welcome\r\n")
        left.set()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=greet, args=(server,))
        thread.start()
        cp = mailing(cp, server.getsockname()[1], smtp_host="127.0.0.1", smtp_security="none", delivery_seconds=1.0)
        listens(olga, cp, "team@example.org", "job.failed", way="mail")
        happens(cp)
        ending = threading.Timer(20.0, over.set)  # where nothing cuts it off
        ending.start()
        deliver(cp)
        was_cut = not over.is_set()
        ending.cancel()
        over.set()
        thread.join()
    assert was_cut and left.is_set()
    assert [row.error for row in rows()] == ["listener_silent"]


@pytest.mark.parametrize("address", ["", "team", "a@b\nBcc: c@d", "a b@example.org", "x@" + "y" * 300, "a@b, c@d"])
def test_what_is_no_mail_address_is_refused(address: str) -> None:
    with pytest.raises(FieldInvalid):
        checked_mail(address)


def test_mail_that_nobody_set_up_is_refused(cp: ControlPlane, olga: Actor) -> None:
    with pytest.raises(MailNotSetUp):
        listens(olga, cp, "team@example.org", way="mail")


# ---- Python


@pytest.fixture
def package(cp: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an installed package of listeners, which the process finds."""
    folder = tmp_path / "site"
    about = folder / "our_listeners-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: our-listeners\nVersion: 1\n")
    points = "\n".join(f"{name} = our_listeners:{name}" for name in ("keep", "fail", "hang", "spy"))
    (about / "entry_points.txt").write_text(f"[tunesmith.listeners]\n{points}\n")
    (folder / "our_listeners.py").write_text(f"""
import json, os, pathlib, subprocess, sys, time
heard = pathlib.Path({str(tmp_path / "heard")!r})
def keep(event): heard.write_text(json.dumps(event))
def fail(event): raise ValueError("boom")
def hang(event):
    heard.write_text(str(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid))
    time.sleep(600)
def spy(event): heard.write_text(json.dumps(dict(os.environ)))
""")
    real = apart.environment
    monkeypatch.setattr(
        by_python, "environment", lambda room: (told := real(room)) | {"PYTHONPATH": f"{told['PYTHONPATH']}:{folder}"}
    )
    return tmp_path / "heard"


def told_by(cp: ControlPlane, olga: Actor, name: str, **settings: Any) -> Any:
    cp = replace(cp, settings=replace(cp.settings, python_listeners="keep, fail, hang, spy, gone", **settings))
    listens(olga, cp, name, "job.failed", way="python")
    happens(cp)
    deliver(cp)
    return rows()[-1]


def test_a_python_listener_is_called_with_the_event(cp: ControlPlane, olga: Actor, package: Path) -> None:
    row = told_by(cp, olga, "keep")
    assert row.outcome == DELIVERED
    assert json.loads(package.read_text()) == row.payload


def test_one_that_raises_is_told_again_and_one_that_is_gone_too(
    cp: ControlPlane, olga: Actor, package: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert told_by(cp, olga, "fail").error == "python_listener_broke"
    assert "ValueError: boom" in caplog.text
    assert told_by(cp, olga, "gone").error == "python_listener_missing"


def test_one_that_hangs_ends_with_all_that_it_started(cp: ControlPlane, olga: Actor, package: Path) -> None:
    assert told_by(cp, olga, "hang", delivery_seconds=1.0).error == "listener_silent"
    assert package.exists(), "it had begun"
    child = Path(f"/proc/{package.read_text()}/stat")
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_it_knows_nothing_of_the_control_plane(
    cp: ControlPlane, olga: Actor, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNESMITH_SECRETS_KEY", "a" * 64)
    assert told_by(cp, olga, "spy").outcome == DELIVERED
    assert "TUNESMITH" not in package.read_text()


def test_one_that_nobody_named_is_refused(cp: ControlPlane, olga: Actor) -> None:
    with pytest.raises(PythonListenerClosed):
        listens(olga, cp, "keep", way="python")
