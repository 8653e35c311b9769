"""An installation behind a real API port, and an inference engine that says what the test wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import tunesmith
from control_plane.context import Answer, ControlPlane
from control_plane.services.fleet import scheduling
from fleet_support import Fleet, model_files, succeed

_ROWS = b"".join(b'{"prompt": "p%d", "completion": "c"}\n' % number for number in range(20))


@dataclass
class Said:
    """An engine's answer, in the pieces in which it comes."""

    pieces: list[bytes]
    status: int = 200
    content_type: str = "text/event-stream"
    engine_seconds: float = 0.0
    closed: bool = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if self.closed:
                return
            yield piece

    def close(self) -> None:
        self.closed = True


@dataclass
class Engine:
    """The inference port, with answers given by the test."""

    answers: list[Said] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)

    def ask(self, machine_id: str, replica_id: int, path: str, body: bytes, deadline_seconds: float) -> Answer:
        self.asked.append(body)
        return self.answers.pop(0)

    async def stream(
        self, machine_id: str, replica_id: int, path: str, body: bytes, silence_seconds: float
    ) -> AsyncIterator[tuple[int, bytes]]:
        answer = self.ask(machine_id, replica_id, path, body, silence_seconds)
        try:
            for data in answer:
                yield answer.status, data
                await asyncio.sleep(0)
        finally:
            answer.close()


@dataclass
class Installation:
    cp: ControlPlane
    engine: Engine
    fleet: Fleet

    def connect(self, token: str | None = None) -> tunesmith.Client:
        return tunesmith.connect(token=token, data=self.cp.settings.data, language="en")


def made(client: tunesmith.Client, installation: Installation, form: str) -> int:
    """A model of this form in the project `default`, made by the fleet's own jobs from a base model on."""
    model, version = 0, client.upload_dataset("default", "reports", _ROWS).id
    machine = installation.fleet.machine()
    for reached, method in (("base", "bring"), ("adapter", "tune"), ("gguf", "pack")):
        inputs = {"bring": {}, "tune": {"base": model, "dataset": version}, "pack": {"model": model}}[method]
        job = client.submit_job("default", method, inputs=inputs)
        scheduling.run_pass(installation.cp)
        succeed(machine, installation.cp, installation.fleet.attempt(job.id), {"model": model_files(reached)})
        model = client.get_job(job.id).model_id
        if reached == form:
            break
    return model
