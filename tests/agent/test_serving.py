"""From the instruction to what is observed, with real processes and real HTTP; only the engine is a stub."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.build import BuildFailed, Environment
from agent.context import Agent
from agent.link.calls import Refused
from agent.serving import engine_process, engines
from agent.serving.channel import exchange
from agent.serving.engine_client import Connections
from agent.serving.replicas import Replica, Serving
from agent.settings import EngineChoice, SettingInvalid, Settings, read
from agent.storage.cache import Cache
from agent.storage.state import Store
from control_plane import wording
from patience import PATIENCE, wait_until
from tunesmith.v1 import fleet_pb2 as pb


class Stubs:
    """Stands where link, session and environments are."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.told: list[pb.ReplicaStatus] = []
        self.refused = 0  # how often Hello is refused
        self.built = True
        self.impossible = ""  # what can be neither found nor built: a word of its requirements

    def ask(self, request: Any, tick: Any = None) -> None:
        with self.changed:
            self.told.append(request.status)
            self.changed.notify_all()

    def epoch(self) -> int:
        if self.refused:
            self.refused -= 1
            raise Refused("version_refused", {}, "")
        return 1

    def has(self, requirements: str) -> bool:
        return self.built and not self._is_impossible(requirements)

    def ensure(self, requirements: str, *_: object) -> Environment:
        if self._is_impossible(requirements):
            raise BuildFailed("no wheel fits")
        self.built = True
        return Environment(Path(sys.executable), "")

    def _is_impossible(self, requirements: str) -> bool:
        return bool(self.impossible) and self.impossible in requirements

    def wait_for(self, condition: Callable[[list[pb.ReplicaStatus]], object]) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.told and condition(self.told), PATIENCE), self.told

    def wait_for_state(self, state: str, generation: int = 1) -> None:
        self.wait_for(lambda told: (told[-1].state, told[-1].generation) == (state, generation))


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Stubs:
    for name in ("XLLAMACPP", "LLAMA_CPP"):
        stub = replace(getattr(engines, name), script=Path(__file__).with_name("stub_engine.py"))
        monkeypatch.setattr(engines, name, stub)
    return Stubs()


@pytest.fixture
def agent(tmp_path: Path, stubs: Stubs) -> Agent:
    settings = Settings(data=tmp_path, engine_retry_first_seconds=0.01, engine_health_seconds=0.02)
    store = Store(tmp_path / "state.db")
    cache = Cache(tmp_path / "cache", 1 << 30, store)
    return Agent(settings, store, stubs, cache, stubs, threading.Event())  # type: ignore[arg-type]


@pytest.fixture
def serving(agent: Agent, stubs: Stubs) -> Iterator[Serving]:
    made = Serving(agent)
    made.resume(stubs)  # type: ignore[arg-type]
    yield made
    made.close()


def instruction(agent: Agent, number: int = 1, text: str = "weights") -> pb.Serve:
    path = agent.settings.data / "model"
    path.write_text(text)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    agent.cache.adopt(path, sha256)
    path.unlink()
    files = [pb.FileRef(path="model.gguf", sha256=sha256, size=len(text))]
    return pb.Serve(
        replica_id=5, generation=number, name="demo", model=pb.Input(files=files), context_length=8, slots=1
    )


class Call:
    """The stream's upper half: what would go to the control plane is kept."""

    def __init__(self) -> None:
        self.sent: list[pb.ServeUp] = []
        self.arrived = asyncio.Condition()

    async def send(self, up: pb.ServeUp) -> None:
        async with self.arrived:
            self.sent.append(pb.ServeUp.FromString(up.SerializeToString()))
            self.arrived.notify_all()

    async def holds(self, count: int) -> None:
        async with self.arrived:
            await asyncio.wait_for(self.arrived.wait_for(lambda: len(self.sent) >= count), PATIENCE)


async def ask(serving: Serving, connections: Connections, path: str, body: bytes = b"hi") -> list[pb.ServeUp]:
    call = Call()
    down = pb.ServeDown(request_id=9, path=path, body=body)
    await exchange(call, connections, down, serving.endpoint(5))  # type: ignore[arg-type]
    return call.sent


def answer(serving: Serving, path: str, body: bytes = b"hi") -> list[pb.ServeUp]:
    return asyncio.run(ask(serving, Connections(), path, body))


def pid_of(agent: Agent) -> int:
    pid = engine_process.Engine(agent.settings.data / "replicas" / "5", agent.settings)._pid()
    assert pid
    return pid


def test_serve_answer_stop(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")
    (whole,) = answer(serving, "/v1/chat/completions")
    assert (whole.request_id, whole.status, whole.content_type) == (9, 200, "application/json")
    assert whole.data == b'{"echo": "hi", "model": "demo"}'
    assert whole.end and not whole.error
    assert serving.statuses()[0].memory > 0
    pid = pid_of(agent)
    serving.stop(5, 2)
    stubs.wait_for_state("STOPPED", generation=2)
    assert not psutil.pid_exists(pid)
    assert answer(serving, "/v1/models")[0].error == "nothing_serves"
    assert agent.store.replicas() == []


def test_building_the_engines_environment_is_said(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    stubs.built = False
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")
    os.kill(pid_of(agent), signal.SIGKILL)  # the next start finds it built
    stubs.wait_for(lambda told: told[-1].state == "SERVING" and told[-1].restarts == 1)
    said = [(status.state, status.reason) for status in stubs.told]
    assert said.count(("STARTING", "engine_environment")) == 1
    assert said.index(("STARTING", "engine_environment")) < said.index(("SERVING", ""))
    code = stubs.told[said.index(("STARTING", "engine_environment"))].reason
    assert (
        wording.say(code, {}, "en")
        == "The machine is installing the serving engine; the first time this takes some minutes."
    )


def test_where_xllamacpp_cannot_be_installed_the_other_engine_serves(
    agent: Agent, serving: Serving, stubs: Stubs
) -> None:
    stubs.built, stubs.impossible = False, "xllamacpp=="
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")
    assert [(told.state, told.reason) for told in stubs.told if told.reason] == [
        ("STARTING", "engine_environment"),
        ("STARTING", "engine_compiling"),
        ("SERVING", "engine_fallback"),
    ]
    before = len(stubs.told)
    os.kill(pid_of(agent), signal.SIGKILL)
    stubs.wait_for(lambda told: told[-1].state == "SERVING" and told[-1].restarts == 1)
    assert "engine_environment" not in [told.reason for told in stubs.told[before:]]  # nothing is tried again
    for code in ("engine_environment", "engine_compiling", "engine_fallback"):
        assert wording.say(code, {}, "en") != code


def test_an_adopted_engine_is_known_by_its_name(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    stubs.impossible = "xllamacpp=="
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")
    told, stubs.impossible = len(stubs.told), ""
    following = Serving(agent)
    following.resume(stubs)  # type: ignore[arg-type]
    stubs.wait_for(lambda all_: len(all_) > told and all_[-1].state == "SERVING")
    assert stubs.told[-1].reason == "engine_fallback"
    following.close()


@pytest.mark.parametrize(
    ("wanted", "impossible", "tried"),
    [
        (EngineChoice.XLLAMACPP, "xllamacpp==", ["engine_environment"]),
        (EngineChoice.LLAMA_CPP, "llama-cpp-python", ["engine_compiling"]),
        (EngineChoice.AUTO, "=", ["engine_environment", "engine_compiling"]),
    ],
)
def test_an_engine_that_cannot_be_had_is_named(
    stubs: Stubs, tmp_path: Path, wanted: EngineChoice, impossible: str, tried: list[str]
) -> None:
    stubs.built, stubs.impossible = False, impossible
    building: list[str] = []
    with pytest.raises(BuildFailed) as failed:
        engines.choose(stubs, Settings(engine=wanted), tmp_path / "log", lambda: None, building.append)  # type: ignore[arg-type]
    assert building == tried
    named = [kind.name for kind in (engines.XLLAMACPP, engines.LLAMA_CPP) if f"{kind.name}: " in str(failed.value)]
    assert named == ([wanted] if wanted != EngineChoice.AUTO else [EngineChoice.XLLAMACPP, EngineChoice.LLAMA_CPP])


def test_an_unknown_engine_is_refused() -> None:
    assert read({"TUNESMITH_AGENT_ENGINE": "llama_cpp"}).engine == EngineChoice.LLAMA_CPP
    with pytest.raises(SettingInvalid, match="TUNESMITH_AGENT_ENGINE"):
        read({"TUNESMITH_AGENT_ENGINE": "vllm"})


def test_the_key_is_no_argument_and_others_are_refused(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")
    endpoint = serving.endpoint(5)
    assert endpoint is not None and endpoint.key not in " ".join(psutil.Process(pid_of(agent)).cmdline())
    assert (agent.settings.data / "replicas" / "5" / "engine.json").stat().st_mode & 0o777 == 0o600


def test_an_engine_sees_no_gpu_but_those_it_was_promised(
    agent: Agent, serving: Serving, stubs: Stubs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1,GPU-2")  # all that the agent may give away
    wanted = instruction(agent)
    wanted.devices.append("GPU-2")
    serving.serve(wanted)
    stubs.wait_for_state("SERVING")
    assert psutil.Process(pid_of(agent)).environ()["CUDA_VISIBLE_DEVICES"] == "GPU-2"


def test_an_engine_that_computes_on_the_processor_sees_no_gpu(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    wanted = instruction(agent)
    wanted.devices.append("cpu:0")
    serving.serve(wanted)
    stubs.wait_for_state("SERVING")
    assert psutil.Process(pid_of(agent)).environ()["CUDA_VISIBLE_DEVICES"] == ""


def test_a_killed_engine_is_restarted(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")
    os.kill(pid_of(agent), signal.SIGKILL)
    stubs.wait_for(lambda told: told[-1].state == "SERVING" and told[-1].restarts == 1)
    assert [status.reason for status in stubs.told if status.state == "STARTING"][-1] == "engine_failed"
    assert answer(serving, "/v1/chat/completions")[0].status == 200


def test_a_model_that_never_loads_is_failed_with_the_reason(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    serving.serve(instruction(agent, text="broken"))
    stubs.wait_for_state("FAILED")
    assert stubs.told[-1].reason == "engine_failed"
    assert "the model cannot be read" in stubs.told[-1].params


def test_a_newer_generation_replaces_the_older(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")
    first = pid_of(agent)
    serving.serve(instruction(agent, 2, "other weights"))
    stubs.wait_for_state("SERVING", generation=2)
    assert not psutil.pid_exists(first)
    assert len(serving.statuses()) == 1


def test_the_next_agent_adopts_a_living_engine(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")
    pid, told = pid_of(agent), len(stubs.told)
    following = Serving(agent)  # the first one is as good as killed: it is not asked
    following.resume(stubs)  # type: ignore[arg-type]
    stubs.wait_for(lambda all_: len(all_) > told and all_[-1].state == "SERVING")
    assert pid_of(agent) == pid
    assert answer(following, "/v1/chat/completions")[0].status == 200
    following.close()


def test_cancelling_drops_the_connection(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")

    async def leave() -> list[pb.ServeUp]:
        call, connections = Call(), Connections()
        down = pb.ServeDown(request_id=3, path="/v1/stream", body=b"{}")
        running = asyncio.ensure_future(exchange(call, connections, down, serving.endpoint(5)))  # type: ignore[arg-type]
        await call.holds(2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return call.sent

    sent = asyncio.run(leave())
    assert sent[0].content_type == "text/event-stream" and sent[0].engine_seconds > 0
    assert sent[1].data.startswith(b"data: x")
    assert not any(up.end or up.error for up in sent)
    gone = agent.settings.data / "replicas" / "5" / "gone"
    wait_until(gone.exists)  # the engine noticed and stopped


def test_a_connection_is_kept_and_one_that_the_engine_closed_is_replaced(
    agent: Agent, serving: Serving, stubs: Stubs
) -> None:
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")

    async def three() -> list[bytes]:
        connections = Connections()
        seen = [json.loads((await ask(serving, connections, "/v1/port"))[0].data)["port"] for _ in range(2)]
        await ask(serving, connections, "/v1/last")  # answers, then closes the connection without a word
        seen.append(json.loads((await ask(serving, connections, "/v1/port"))[0].data)["port"])
        connections.close()
        return seen

    first, second, third = asyncio.run(three())
    assert first == second != third


def test_an_engine_that_dies_in_an_answer_says_so(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")
    last = answer(serving, "/die")[-1]
    assert (last.error, last.end) == ("engine_failed", True)


def test_without_a_gguf_file_it_fails(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    wanted = instruction(agent)
    wanted.model.files[0].path = "model.bin"
    serving.serve(wanted)
    stubs.wait_for_state("FAILED")
    assert ".gguf" in stubs.told[-1].params


@pytest.mark.parametrize("place", ["_start", "_becomes_ready", "_watch"])
def test_what_nobody_foresaw_is_said_and_tried_again(
    agent: Agent, serving: Serving, stubs: Stubs, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = getattr(Replica, place), [3]

    def broken(replica: Replica) -> object:
        if left[0]:
            left[0] -= 1
            raise RuntimeError("unforeseen")
        return real(replica)

    monkeypatch.setattr(Replica, place, broken)
    serving.serve(instruction(agent))
    stubs.wait_for(lambda told: told[-1].state == "SERVING" and told[-1].restarts == 3)
    failed = [status for status in stubs.told if status.state == "FAILED"]
    assert {(status.reason, json.loads(status.params)["problem"]) for status in failed} == {
        ("agent_error", "RuntimeError: unforeseen")
    }
    assert answer(serving, "/v1/chat/completions")[0].status == 200


def test_a_stopped_engine_is_never_said_to_serve(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")
    replica = serving._replicas[5]
    replica.leave()
    assert replica.status().state == "STARTING"


def test_a_refused_hello_stops_no_replica(agent: Agent, serving: Serving, stubs: Stubs) -> None:
    stubs.refused = 1
    serving.serve(instruction(agent))
    stubs.wait_for_state("SERVING")
    stubs.refused = 1
    serving.stop(5, 2)
    assert serving.statuses() == [] and agent.store.replicas() == []


def test_a_report_that_nobody_foresaw_to_fail_ends_no_replica(
    agent: Agent, serving: Serving, stubs: Stubs, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch, left = stubs.epoch, [3]

    def failing() -> int:
        if left[0]:
            left[0] -= 1
            raise OSError(24, "Too many open files")
        return epoch()

    monkeypatch.setattr(stubs, "epoch", failing)
    serving.serve(instruction(agent))
    wait_until(lambda: serving.statuses()[0].state == "SERVING")
    assert not left[0] or serving._replicas[5].is_living()
