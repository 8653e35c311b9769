"""Endpoints: kept with a sealed key, asked at addresses that may be asked, and again where that may help."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from data_support import expert
from endpoint_support import HERE, Model, Said, completion, refusal, serving

from control_plane.context import ControlPlane
from control_plane.domain import errors
from control_plane.domain.permissions import SYSTEM, Actor
from control_plane.services import audit
from control_plane.services.access import projects
from control_plane.services.endpoints import asking, keeping
from control_plane.services.endpoints.keeping import Wanted
from control_plane.store.database import release
from control_plane.store.endpoints import EndpointRecord
from control_plane.store.secrets import SecretRecord
from patience import LONG

KEY = "sk-very-secret-1234567890"
QUESTION = {"messages": [{"role": "user", "content": "Is it hot?"}], "temperature": 0}
WAIT = 0.01  # seconds


@pytest.fixture
def cp(cp: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> ControlPlane:
    monkeypatch.setattr(asking, "_WAITS", (WAIT, WAIT, WAIT))
    expert(cp)
    return replace(cp, settings=replace(cp.settings, endpoint_networks=type(cp.settings.endpoint_networks)(HERE)))


@pytest.fixture
def model() -> Iterator[Model]:
    with serving(lambda _: completion("Yes.")) as model:
        yield model


def kept(cp: ControlPlane, model: Model, key: str = KEY, daily_calls: int = 100) -> EndpointRecord:
    return keeping.save(SYSTEM, cp, "pumps", "other", Wanted(model.address, "large-1", key, daily_calls))


def one_after_the_other(*said: Said) -> Callable[[dict[str, Any]], Said]:
    left = list(said)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def ask(cp: ControlPlane, endpoint: EndpointRecord, seconds: float = 30.0, **more: Any) -> tuple[str, list[float]]:
    """The answer, and the pauses that were made."""
    pauses: list[float] = []
    answer = asking.Client(cp, endpoint, seconds, **more).answer(QUESTION, pauses.append)
    return answer, pauses


def test_a_question_is_answered_with_the_key_that_was_sealed(cp: ControlPlane, model: Model) -> None:
    endpoint = kept(cp, model)
    assert ask(cp, endpoint) == ("Yes.", [])
    (asked,) = model.asked
    assert (asked["path"], asked["model"], asked["temperature"]) == ("/v1/chat/completions", "large-1", 0)
    assert model.keys == [f"Bearer {KEY}"] and keeping.calls_today(cp, keeping.get(SYSTEM, cp, endpoint.id)) == 1
    assert KEY not in SecretRecord.get().sealed
    keyless = keeping.save(SYSTEM, cp, "pumps", "open", Wanted(model.address + "/chat/completions/", "m"))
    assert keyless.secret_id is None and keyless.address == model.address
    ask(cp, keyless)
    assert model.keys[-1] == ""


def test_the_other_side_is_asked_again_when_it_says_so(cp: ControlPlane, model: Model) -> None:
    endpoint = kept(cp, model)
    model.answers = one_after_the_other(
        refusal(429, "slow down", Retry_After="7"), refusal(503, "again"), completion("At last.")
    )
    assert ask(cp, endpoint) == ("At last.", [7.0, WAIT])
    model.answers = one_after_the_other(refusal(429, "slow down", Retry_After="Fri, 01 Jan 2100 00:00:00 GMT"))
    with pytest.raises(errors.EndpointBusy):  # nobody waits that long
        ask(cp, endpoint)
    before = len(model.asked)
    model.answers = one_after_the_other(refusal(500, "broken"))
    with pytest.raises(errors.EndpointBusy) as busy:
        ask(cp, endpoint)
    assert len(model.asked) - before == 4 and busy.value.params["code"] == 500
    before = len(model.asked)
    model.answers = one_after_the_other(refusal(429, "You exceeded your current quota", "insufficient_quota"))
    with pytest.raises(errors.EndpointUnpaid):
        ask(cp, endpoint)
    assert len(model.asked) - before == 1


def test_what_it_does_not_take_is_left_out_from_then_on(cp: ControlPlane, model: Model) -> None:
    def picky(asked: dict[str, Any]) -> Said:
        if "max_tokens" in asked:
            return refusal(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        if "temperature" in asked:
            return refusal(400, "Unsupported value: 'temperature' does not support 0 with this model.")
        return completion("Yes.")

    model.answers = picky
    client = asking.Client(cp, kept(cp, model), 30.0)
    assert [client.answer(QUESTION, lambda _: None) for _ in range(2)] == ["Yes.", "Yes."]
    assert len(model.asked) == 4 and model.asked[-1]["max_completion_tokens"] == asking.MOST_TOKENS
    model.answers = one_after_the_other(refusal(400, "This is against our rules."))
    with pytest.raises(errors.EndpointRefused, match="rules"):
        client.answer(QUESTION, lambda _: None)


def test_several_that_learn_the_same_at_once_are_all_answered(cp: ControlPlane, model: Model) -> None:
    together = threading.Barrier(4)

    def picky(asked: dict[str, Any]) -> Said:
        if "max_tokens" in asked:
            together.wait(LONG)
            return refusal(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        return completion("Yes.")

    model.answers = picky
    client = asking.Client(cp, kept(cp, model), 30.0)

    def answer(_: int) -> str:
        try:
            return client.answer(QUESTION, lambda _: None)
        finally:
            release()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(answer, range(4))) == ["Yes."] * 4
    assert len(model.asked) == 8


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (completion(""), errors.AnswerEmpty),
        (completion(None, refusal="I will not."), errors.EndpointRefused),
        (completion("and so on", "length"), errors.AnswerCut),
        (completion("a" * 100_001), errors.AnswerEndless),
        (completion([{"type": "text"}]), errors.EndpointFailed),
        ((200, {"choices": []}, {}), errors.EndpointFailed),
        ((200, b"<html>", {}), errors.EndpointFailed),
        ((200, b"[" * 100_000, {}), errors.EndpointFailed),
        ((200, b" " * ((4 << 20) + 1), {}), errors.AnswerEndless),
        ((302, b"", {"Location": "http://127.0.0.1:1/"}), errors.EndpointModelUnknown),
        (refusal(404, "no such model"), errors.EndpointModelUnknown),
        (refusal(401, f"Incorrect API key: {KEY}"), errors.EndpointKeyRefused),
        (refusal(400, f"{KEY} \x1b[31m asked too much"), errors.EndpointRefused),
        ((418, b"{}", {}), errors.EndpointRefused),
        ((400, b'["a"]', {}), errors.EndpointRefused),
    ],
)
def test_what_is_no_answer_is_told_without_the_key(
    cp: ControlPlane, model: Model, said: Said, problem: type[errors.TunesmithError], caplog: pytest.LogCaptureFixture
) -> None:
    model.answers = one_after_the_other(said)
    endpoint = kept(cp, model)
    with pytest.raises(problem) as raised:
        ask(cp, endpoint)
    told = json.dumps(raised.value.storable()) + str(raised.value) + repr(raised.value.__cause__) + caplog.text
    assert KEY not in told and "\x1b" not in told
    assert type(raised.value) is problem


def test_it_is_asked_so_often_a_day_and_no_more(cp: ControlPlane, model: Model) -> None:
    endpoint = kept(cp, model, daily_calls=2)
    assert [ask(cp, endpoint)[0] for _ in range(2)] == ["Yes.", "Yes."]
    with pytest.raises(errors.EndpointSpent) as spent:
        ask(cp, endpoint)
    assert spent.value.params == {"name": "other", "most": 2} and len(model.asked) == 2
    cp.clock.advance(86_400.0)  # type: ignore[attr-defined]
    assert keeping.calls_today(cp, keeping.get(SYSTEM, cp, endpoint.id)) == 0
    assert ask(cp, endpoint)[0] == "Yes."
    keeping.remove(SYSTEM, cp, endpoint.id)
    assert not SecretRecord.select().exists()
    with pytest.raises(errors.EndpointGone):
        ask(cp, endpoint)


def test_it_is_reached_only_where_it_may_be(cp: ControlPlane, model: Model) -> None:
    endpoint = kept(cp, model)
    closed = replace(cp, settings=replace(cp.settings, endpoint_networks=type(cp.settings.endpoint_networks)("")))
    with pytest.raises(errors.EndpointAddressPrivate):
        ask(closed, endpoint)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mute = keeping.save(SYSTEM, cp, "pumps", "mute", Wanted(f"http://127.0.0.1:{port}", "m", KEY))
        with pytest.raises(errors.EndpointSilent):
            ask(cp, mute, seconds=0.3, tries=1)
    with pytest.raises(errors.EndpointUnreachable):  # nobody listens there any more
        ask(cp, mute, tries=2)
    assert model.asked == []
    # without encryption nothing goes to the world
    client = asking.Client(cp, endpoint, 1.0)
    with pytest.raises(errors.EndpointUnencrypted):
        client._addresses("http", "1.1.1.1", 80)


@pytest.mark.parametrize(
    "address",
    ["", "ftp://x/v1", "https://user:pw@x/v1", "https:///v1", "https://x/v1?key=1", "https://x/v1#a", "https://x:0/v1"],
)
def test_an_address_that_is_none_is_refused_without_what_it_hides(cp: ControlPlane, address: str) -> None:
    with pytest.raises(errors.EndpointAddressInvalid) as refused:
        keeping.save(SYSTEM, cp, "pumps", "other", Wanted(address, "m"))
    assert "pw" not in str(refused.value)


def test_a_key_goes_to_the_server_alone_that_it_was_given_for(cp: ControlPlane, model: Model) -> None:
    endpoint = kept(cp, model)
    keeping.save(SYSTEM, cp, "pumps", "other", Wanted(model.address + "/more", "large-2"))
    again = keeping.get(SYSTEM, cp, endpoint.id)
    assert (again.model, again.secret_id) == ("large-2", endpoint.secret_id)
    with pytest.raises(errors.EndpointKeyNeeded):
        keeping.save(SYSTEM, cp, "pumps", "other", Wanted("https://elsewhere.example/v1", "large-2"))
    assert keeping.get(SYSTEM, cp, endpoint.id).address == model.address + "/more"
    keeping.save(SYSTEM, cp, "pumps", "other", Wanted("https://elsewhere.example/v1", "large-2", "another"))
    assert SecretRecord.select().count() == 1
    wrongs: list[dict[str, Any]] = [{"model": ""}, {"key": "Schlüssel"}, {"key": "a\nb"}]
    for wrong in [*wrongs, {"daily_calls": 0}, {"daily_calls": 1_000_001}]:
        with pytest.raises(errors.FieldInvalid):
            keeping.save(SYSTEM, cp, "pumps", "other", Wanted(**{"address": model.address, "model": "m"} | wrong))
    told = json.dumps([one.details for one in audit.list_entries(SYSTEM, cp, "pumps")])
    assert KEY not in told and "large-2" in told


def test_who_may_change_one_and_who_may_use_it(cp: ControlPlane, model: Model) -> None:
    endpoint = kept(cp, model)
    erin: Actor = expert(cp, "eva")
    assert [one.id for one in keeping.list_endpoints(erin, cp, "pumps")] == [endpoint.id]
    for act in (
        lambda: keeping.save(erin, cp, "pumps", "mine", Wanted(model.address, "m")),
        lambda: keeping.remove(erin, cp, endpoint.id),
        lambda: asking.test(erin, cp, endpoint.id),
    ):
        with pytest.raises(errors.Denied):
            act()
    projects.set_member(SYSTEM, cp, "pumps", "eva", "Developer")


def test_whether_it_works_is_tried_once(cp: ControlPlane, model: Model) -> None:
    endpoint = kept(cp, model)
    tried = asking.test(SYSTEM, cp, endpoint.id)
    assert tried.answer == "Yes." and tried.seconds > 0
    model.answers = one_after_the_other(refusal(429, "slow down"))
    with pytest.raises(errors.EndpointBusy):
        asking.test(SYSTEM, cp, endpoint.id)
    assert len(model.asked) == 2
    assert [one.action for one in audit.list_entries(SYSTEM, cp, "pumps")][:2] == ["endpoint.test"] * 2


def test_tests_that_hang_leave_threads_to_others(cp: ControlPlane, model: Model) -> None:
    endpoint, begun, over = kept(cp, model), threading.Semaphore(0), threading.Event()

    def hangs(_: dict[str, Any]) -> Said:
        begun.release()
        over.wait(LONG)
        return completion("Yes.")

    def test(_: int) -> str:
        try:
            return asking.test(SYSTEM, cp, endpoint.id).answer
        finally:
            release()

    model.answers = hangs
    with ThreadPoolExecutor(3) as pool:
        hanging = [pool.submit(test, number) for number in range(3)]
        try:
            assert all(begun.acquire(timeout=LONG) for _ in hanging)
            with pytest.raises(errors.TooMany):
                asking.test(SYSTEM, cp, endpoint.id)
        finally:
            over.set()
        assert [one.result() for one in hanging] == ["Yes."] * 3
    assert test(0) == "Yes.", "there is room again"
    assert keeping.calls_today(cp, keeping.get(SYSTEM, cp, endpoint.id)) == 4, "one that is refused asks nothing"
