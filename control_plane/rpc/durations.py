"""How long each call takes, for the metrics. Streams are not measured: they last as long as whoever holds them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from control_plane.metrics import Metrics


class Durations(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]  # generic in its stubs alone
    """Stands before the others, so that the code that it sees is the one that is sent."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler[Any, Any]]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler: Any = await continuation(handler_call_details)
        if handler is None or handler.request_streaming or handler.response_streaming:
            return handler
        method = handler_call_details.method.rpartition("/")[2]  # only of a handler that exists: no label of a stranger

        async def timed(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            begun, code = time.perf_counter(), "OK"
            try:
                return await handler.unary_unary(request, context)
            except BaseException:
                code = _code(context)
                raise
            finally:
                self._metrics.calls.labels(method, code).observe(time.perf_counter() - begun)

        return grpc.unary_unary_rpc_method_handler(timed, handler.request_deserializer, handler.response_serializer)


def _code(context: grpc.aio.ServicerContext[Any, Any]) -> str:
    """The name of the status of a call that ended badly."""
    code: Any = context.code()
    if isinstance(code, grpc.StatusCode):
        return code.name
    return next((one.name for one in grpc.StatusCode if one.value[0] == code and code), "CANCELLED")
