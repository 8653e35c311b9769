"""A listener is told by mail, through the server that an administrator named."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import ListenerRefused, ListenerSilent, ListenerUnreachable, MailNotSetUp
from control_plane.outward.deadline import cut_off
from control_plane.services.listeners.by_http import ADDRESS, more
from control_plane.settings import Settings
from control_plane.store.listeners import ListenerRecord

STARTTLS, TLS = "starttls", "tls"
_SENT = 250


def require_set_up(cp: ControlPlane) -> None:
    """Raises MailNotSetUp."""
    if not cp.settings.smtp_host or not cp.settings.smtp_sender:
        raise MailNotSetUp


def mail(cp: ControlPlane, listener: ListenerRecord, told: Mapping[str, Any], known: Mapping[str, str]) -> int:
    """One message in plain text. Answers with the server's code; raises ListenerFault, MailNotSetUp."""
    require_set_up(cp)
    settings, place, seconds = cp.settings, cp.settings.smtp_host, cp.settings.delivery_seconds
    try:
        opened: list[smtplib.SMTP] = []
        with cut_off(lambda: opened[0].sock if opened else None, seconds) as was_cut:
            try:
                with _connected(settings, seconds, opened) as server:
                    _send(server, settings, _message(settings, listener, told, known[ADDRESS]))
            except OSError as problem:  # smtplib's own errors are such, too
                if was_cut.is_set():
                    raise TimeoutError from problem
                raise
    except smtplib.SMTPResponseException as problem:
        raise ListenerRefused(place=place, code=problem.smtp_code) from problem
    except smtplib.SMTPRecipientsRefused as problem:
        raise ListenerRefused(place=place, code=next(iter(problem.recipients.values()))[0]) from problem
    except TimeoutError as problem:
        raise ListenerSilent(place=place, allowed=seconds) from problem
    except (OSError, ValueError) as problem:
        raise ListenerUnreachable(place=place, problem=str(problem)[:200]) from problem
    return _SENT


class _Plain(smtplib.SMTP):
    """One that can be cut off while its constructor connects and reads the greeting: it puts itself into `opened`."""

    def __init__(self, opened: list[smtplib.SMTP], host: str, port: int, timeout: float) -> None:
        opened.append(self)
        super().__init__(host, port, timeout=timeout)


class _Tls(smtplib.SMTP_SSL):
    """The same inside of TLS."""

    def __init__(self, opened: list[smtplib.SMTP], host: str, port: int, timeout: float) -> None:
        opened.append(self)
        super().__init__(host, port, timeout=timeout, context=ssl.create_default_context())


@contextmanager
def _connected(settings: Settings, seconds: float, opened: list[smtplib.SMTP]) -> Iterator[smtplib.SMTP]:
    kind = _Tls if settings.smtp_security == TLS else _Plain
    server = kind(opened, settings.smtp_host, settings.smtp_port, seconds)
    try:
        yield server
    finally:
        server.close()


def _send(server: smtplib.SMTP, settings: Settings, message: EmailMessage) -> None:
    if settings.smtp_security == STARTTLS:
        server.starttls(context=ssl.create_default_context())  # a server that cannot is refused
    if settings.smtp_user:
        server.login(settings.smtp_user, settings.smtp_password)
    server.send_message(message)


def _message(settings: Settings, listener: ListenerRecord, told: Mapping[str, Any], address: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.smtp_sender
    message["To"] = address
    message["Subject"] = " ".join(f"[{told['project']['title']}] {told['text']}".split())[:200]
    message["Date"] = format_datetime(datetime.fromisoformat(told["at"]))
    message["Message-ID"] = f"<{told['id']}.{listener.id}@{settings.smtp_sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{told['text']}\n\n{more(listener)}: {told['url']}\n")
    return message
