"""How a call of the Automation service becomes a service: who asks, in which language, in which thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc.aio

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.rpc import messages
from control_plane.rpc.interceptors import address_of, bearer_token
from control_plane.services import jobs
from control_plane.services.access import people, projects
from control_plane.store.jobs import JobRecord
from control_plane.wording import locale_of
from tunesmith.v1 import automation_pb2 as pb

Context = grpc.aio.ServicerContext[Any, Any]
R = TypeVar("R")


@dataclass(frozen=True)
class Call:
    """Who asks, and the language of the answer."""

    actor: Actor
    cp: ControlPlane
    locale: str

    def project_name(self, project_id: int) -> str:
        """Raises NotFound where the project is not the caller's."""
        return str(projects.of_id(self.actor, self.cp, project_id).name)

    def job(self, record: JobRecord) -> pb.Job:
        """The job's message with its attempts."""
        attempts = {record.id: jobs.attempts(self.actor, self.cp, record.id)}
        return messages.jobs(self.project_name(record.project_id), [record], attempts, self.locale)[0]


class Calls:
    """Runs services in a pool of threads for the event loop."""

    def __init__(self, cp: ControlPlane, pool: Executor) -> None:
        self._cp = cp
        self._pool = pool

    async def serve(self, context: Context, service: Callable[[Call], R]) -> R:
        """Run `service` as the bearer of the call's API token: authentication and service share one hop.

        Raises NotSignedIn, TokenRefused, and what the service raises.
        """
        token, address = bearer_token(context), address_of(context)
        languages = dict(context.invocation_metadata() or ()).get("accept-language", "")

        def run() -> R:
            actor = people.actor_of_token(self._cp, token, address)
            return service(Call(actor, self._cp, locale_of(str(languages))))

        return await self.run(run)

    async def run(self, function: Callable[..., R], *args: object) -> R:
        """Run something that blocks."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function, *args)

    async def hang(
        self, context: Context, topic: str, seconds: float, look: Callable[[Call], R], news: Callable[[R], bool]
    ) -> R:
        """Look until there is news or the time is over, at each signal of the topic; waiting holds no thread."""
        loop = asyncio.get_running_loop()
        until = loop.time() + max(0.0, min(seconds, self._cp.settings.poll_seconds))
        with self._signals_of(topic) as signalled:
            while True:
                signalled.clear()
                found = await self.serve(context, look)
                if news(found) or loop.time() >= until:
                    return found
                with suppress(TimeoutError):
                    await asyncio.wait_for(signalled.wait(), until - loop.time())

    @contextmanager
    def _signals_of(self, topic: str) -> Iterator[asyncio.Event]:
        loop, signalled = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: str) -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(signalled.set)

        unsubscribe = self._cp.signals.subscribe([topic], wake)
        try:
            yield signalled
        finally:
            unsubscribe()
