"""A listener is told by an HTTP request: a webhook that is signed, Slack's, or that of Microsoft Teams."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    ListenerAddressInvalid,
    ListenerAddressPrivate,
    ListenerRedirects,
    ListenerRefused,
    ListenerSilent,
    ListenerUnencrypted,
    ListenerUnreachable,
)
from control_plane.domain.listeners import messages
from control_plane.domain.listeners.signature import HEADER, sign
from control_plane.outward import guard, pinned
from control_plane.outward.deadline import cut_off
from control_plane.store.listeners import ListenerRecord
from control_plane.wording import catalogue

ADDRESS, SIGNING = "address", "signing"  # names of the secrets
_AGENT = "Tunesmith-Listener/1"


def webhook(cp: ControlPlane, listener: ListenerRecord, told: Mapping[str, Any], known: Mapping[str, str]) -> int:
    """The event itself as JSON, with its signature. Answers with the status; raises ListenerFault."""
    body = _json(told)
    headers = {
        "Tunesmith-Event": told["event"],
        "Tunesmith-Delivery": told["id"],
        HEADER: sign(known[SIGNING], int(cp.clock()), body),
    }
    return _post(cp, listener, known[ADDRESS], body, headers)


def slack(cp: ControlPlane, listener: ListenerRecord, told: Mapping[str, Any], known: Mapping[str, str]) -> int:
    """A message of Slack's incoming webhooks. Answers with the status; raises ListenerFault."""
    return _post(cp, listener, known[ADDRESS], _json(messages.for_slack(told, more(listener))), {})


def teams(cp: ControlPlane, listener: ListenerRecord, told: Mapping[str, Any], known: Mapping[str, str]) -> int:
    """An Adaptive Card for Microsoft Teams. Answers with the status; raises ListenerFault."""
    return _post(cp, listener, known[ADDRESS], _json(messages.for_teams(told, more(listener))), {})


def more(listener: ListenerRecord) -> str:
    """The word for the link to the page, in the listener's language."""
    return catalogue(listener.language).gettext("Open in Tunesmith")


def host_of(address: str) -> str:
    """What may be shown of an address whose path is a secret. Raises ListenerAddressInvalid."""
    try:
        return pinned.split(address).netloc[:200]
    except pinned.AddressInvalid as problem:
        raise ListenerAddressInvalid(place=str(problem)[:60]) from problem


def _json(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _post(cp: ControlPlane, listener: ListenerRecord, address: str, body: bytes, headers: Mapping[str, str]) -> int:
    """Of the answer the head is read and no byte of the rest, and it has to come within the deadline as a whole."""
    parts, place, seconds = pinned.split(address), str(listener.label), cp.settings.delivery_seconds
    scheme, host, port = pinned.origin(parts)
    connection = pinned.PinnedConnection(
        host,
        port,
        _addresses(cp, place, scheme, host, port),
        seconds,
        ssl.create_default_context() if scheme == "https" else None,
    )
    sent = {"Content-Type": "application/json", "User-Agent": _AGENT, **headers}
    try:
        with cut_off(lambda: connection.sock, seconds) as was_cut:
            try:
                connection.request("POST", pinned.target(parts), body, sent)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException, ValueError) as problem:
                if was_cut.is_set() or isinstance(problem, TimeoutError):
                    raise ListenerSilent(place=place, allowed=seconds) from problem
                # what no HTTP server says is not repeated: it may come from elsewhere than the people who read this
                shown = problem.strerror or str(problem) if isinstance(problem, OSError) else ""
                raise ListenerUnreachable(place=place, problem=shown[:200] or type(problem).__name__) from problem
    finally:
        connection.close()
    if 300 <= status < 400:
        raise ListenerRedirects(place=place, code=status)
    if not 200 <= status < 300:
        raise ListenerRefused(place=place, code=status)
    return status


def _addresses(cp: ControlPlane, place: str, scheme: str, host: str, port: int) -> list[str]:
    networks = str(cp.settings.listener_networks)
    try:
        found = guard.resolved(host, port, networks)
    except guard.NameUnknown as problem:
        raise ListenerUnreachable(place=place, problem=str(problem)[:200]) from problem
    except guard.AddressPrivate as problem:
        raise ListenerAddressPrivate(place=place) from problem
    if scheme != "https" and not all(guard.is_opened(one, networks) for one in found):
        raise ListenerUnencrypted(place=place)
    return found
