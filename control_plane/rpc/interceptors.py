"""Who calls, and how an error becomes a status: what every servicer shares.

The servicers authenticate inside the same thread hop that runs the service, with the values read here from the context.
"""

from __future__ import annotations

import functools
import ipaddress
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import grpc
import grpc.aio
from cryptography import x509

from control_plane.authority import machine_id_of
from control_plane.domain.documents import well_formed
from control_plane.domain.errors import CertificateRefused, NotSignedIn, TunesmithError, Unavailable
from control_plane.statuses import STATUS
from control_plane.wording import locale_of, say

log = logging.getLogger(__name__)

_LONGEST_PARAM, _MOST_PARAMS = 160, 10  # headers hold 8 KiB in all, and escaped each character may take 12 bytes


@dataclass(frozen=True)
class PeerCertificate:
    """What a client certificate says about its machine; its chain was verified by the handshake."""

    machine_id: str
    serial: str  # hexadecimal
    not_after: float  # seconds since the epoch


def peer_certificate(context: grpc.aio.ServicerContext[Any, Any]) -> PeerCertificate:
    """The caller's certificate. Raises CertificateRefused where there is none or it is not a machine's."""
    for pem in context.auth_context().get("x509_pem_cert", ()):
        return _parsed(bytes(pem))
    raise CertificateRefused


@functools.lru_cache(maxsize=4096)
def _parsed(pem: bytes) -> PeerCertificate:
    certificate = x509.load_pem_x509_certificate(pem)
    machine_id = machine_id_of(certificate)
    return PeerCertificate(machine_id, f"{certificate.serial_number:x}", certificate.not_valid_after_utc.timestamp())


def bearer_token(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    """The API token of the call. Raises NotSignedIn where there is none."""
    scheme, _, token = _metadata(context, "authorization").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NotSignedIn
    return token.strip()


def address_of(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    """The caller's network address without its port, for the audit; empty where it has none (a Unix socket)."""
    kind, _, rest = unquote(context.peer()).partition(":")
    if kind not in ("ipv4", "ipv6"):
        return ""
    return str(ipaddress.ip_address(rest.rpartition(":")[0].strip("[]").split("%")[0]))


def locale_of_call(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    """The locale in which the caller is answered."""
    return locale_of(_metadata(context, "accept-language"))


def _metadata(context: grpc.aio.ServicerContext[Any, Any], name: str) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == name:
            return value if isinstance(value, str) else value.decode("utf-8", "replace")
    return ""


async def refuse(context: grpc.aio.ServicerContext[Any, Any], error: TunesmithError) -> None:
    """End the call with the error's status, its code and parameters as trailing metadata, and words as the message."""
    status = getattr(grpc.StatusCode, STATUS[error.status].grpc)
    shown = {name: _short(value) for name, value in list(error.params.items())[:_MOST_PARAMS]}
    words = say(error.code, shown, locale_of_call(context))
    params = json.dumps(shown, default=str)
    await context.abort(status, words, (("tunesmith-code", error.code), ("tunesmith-params", params)))


def _short(value: object) -> object:
    """What somebody sent and is quoted back must fit into a header, and be text that the wire takes."""
    if isinstance(value, list | tuple):
        return [_short(item) for item in value[:_MOST_PARAMS]]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = well_formed(str(value))
    return text if len(text) <= _LONGEST_PARAM else f"{text[:_LONGEST_PARAM]}…"


class ErrorsInWords(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in its stubs alone
    """Turns whatever a handler raises into a status; nothing internal leaves the process."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler: Any = await continuation(handler_call_details)
        if handler is None:
            return None  # unknown method: gRPC answers UNIMPLEMENTED
        kind = ("stream" if handler.request_streaming else "unary") + (
            "_stream" if handler.response_streaming else "_unary"
        )
        guard = _guard_stream if handler.response_streaming else _guard_unary
        behaviour = guard(getattr(handler, kind), handler_call_details.method)
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        return make(behaviour, handler.request_deserializer, handler.response_serializer)


def _guard_unary(behaviour: Callable[..., Awaitable[Any]], method: str) -> Callable[..., Awaitable[Any]]:
    async def guarded(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
        try:
            return await behaviour(request, context)
        except Exception as problem:  # noqa: BLE001 — an interceptor: the last place where an error can still get a status
            return await _answer(context, problem, method)

    return guarded


def _guard_stream(behaviour: Callable[..., AsyncIterator[Any]], method: str) -> Callable[..., AsyncIterator[Any]]:
    async def guarded(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        try:
            async for message in behaviour(request, context):
                yield message
        except Exception as problem:  # noqa: BLE001 — an interceptor: the last place where an error can still get a status
            await _answer(context, problem, method)

    return guarded


async def _answer(context: grpc.aio.ServicerContext[Any, Any], problem: Exception, method: str) -> None:
    if isinstance(problem, TunesmithError):
        await refuse(context, problem)
    if isinstance(problem, grpc.aio.AbortError | grpc.aio.UsageError):
        raise problem
    log.error("%s failed", method, exc_info=problem)
    # a client retries what is unavailable: right for a full disk; a database that cannot be written says so itself
    await refuse(context, Unavailable() if isinstance(problem, OSError) else TunesmithError())
