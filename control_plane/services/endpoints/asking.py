"""One chat completion of an endpoint: at an address that was checked, within bounds, asked again where that may help.

The key is opened for each question and is in no error, log or audit entry: what the other side says is told without it.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from control_plane.context import ControlPlane
from control_plane.domain.errors import (
    AnswerCut,
    AnswerEmpty,
    AnswerEndless,
    EndpointAddressPrivate,
    EndpointBusy,
    EndpointFailed,
    EndpointKeyRefused,
    EndpointModelUnknown,
    EndpointRefused,
    EndpointSilent,
    EndpointUnencrypted,
    EndpointUnpaid,
    EndpointUnreachable,
    TooMany,
    TunesmithError,
)
from control_plane.domain.labelling import LONGEST_ANSWER
from control_plane.domain.masking import masked
from control_plane.domain.permissions import Actor
from control_plane.outward import guard, pinned
from control_plane.outward.deadline import cut_off
from control_plane.services import audit, secrets
from control_plane.services.endpoints import keeping
from control_plane.store.database import transaction
from control_plane.store.endpoints import EndpointRecord

Pause = Callable[[float], None]  # waits so many seconds; raises where nobody wants the answer any more

MOST_TOKENS = 1_024  # of an answer

_WAITS = (1.0, 3.0, 9.0)  # seconds before each of the others, where the other side says nothing else
_LONGEST_WAIT = 60.0  # that it may ask for
_AGAIN = frozenset({408, 429, 500, 502, 503, 504, 529})
_PATH = "/chat/completions"
_MOST_BYTES = 4 << 20  # of an answer
_TEST_SECONDS = 30.0
# tests at once: each holds a thread that answers people, of which looks at sources may hold four more
_TESTS = threading.BoundedSemaphore(3)
_NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")  # codes; waiting does not help
_SHOWN = 200  # characters of what the other side says
_AGENT = "Tunesmith"
# what not every such server takes, and what it takes instead
_OPTIONAL: Mapping[str, str] = {
    "max_tokens": "max_completion_tokens",
    "temperature": "",
    "seed": "",
    "response_format": "",
}


@dataclass
class Client:
    """What asks an endpoint, several questions one after the other or at once."""

    cp: ControlPlane
    endpoint: EndpointRecord
    seconds: float  # for one answer
    tries: int = 4  # of a question, where the other side is busy or cannot be reached
    _instead: dict[str, str] = field(default_factory=dict)  # of _OPTIONAL, what it was found not to take

    def answer(self, asked: Mapping[str, Any], pause: Pause) -> str:
        """The answer to a chat completion's messages and what else it says (`temperature`, `seed` …).

        Raises what `pause` does, AnswerEmpty, AnswerCut, AnswerEndless, EndpointSpent, EndpointGone and what can go
        wrong with an endpoint.
        """
        tries = 0
        while True:
            keeping.count_call(self.cp, self.endpoint)
            question = self._question(asked)
            try:
                status, headers, body = self._sent(question)
            except (EndpointUnreachable, EndpointSilent):
                tries += 1
                if tries >= self.tries:
                    raise
                pause(_WAITS[tries - 1])
                continue
            if 200 <= status < 300:
                return self._text(body)
            if status not in _AGAIN or _error(body).get("code") in _NO_MONEY:
                if not self._learn(question, status, body):
                    raise self._refusal(status, body)
                continue
            tries += 1
            wait = _wished(headers, self.cp.clock()) or _WAITS[min(tries, len(_WAITS)) - 1]
            if tries >= self.tries or wait > _LONGEST_WAIT:
                raise EndpointBusy(place=self._place, code=status)
            pause(wait)

    @property
    def _place(self) -> str:
        return keeping.place(self.endpoint.address)

    def _question(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        whole = {"model": self.endpoint.model, "stream": False, "max_tokens": MOST_TOKENS, **asked}
        for name, other in dict(self._instead).items():
            value = whole.pop(name, None)
            if other and value is not None:
                whole[other] = value
        return whole

    def _learn(self, question: Mapping[str, Any], status: int, body: bytes) -> bool:
        """Whether a refusal is about something that the question can do without; from now on each does.

        What was sent counts, for several are asked at once: another may have learned the same since this one was sent.
        """
        said = _message(body)
        for name, other in _OPTIONAL.items():
            if status in (400, 422) and name in question and name in said:
                self._instead[name] = other
                return True
        return False

    def _refusal(self, status: int, body: bytes) -> TunesmithError:
        place, name = self._place, str(self.endpoint.name)
        if status in (401, 403):
            return EndpointKeyRefused(place=place, name=name, code=status)
        problem = self._shown(_message(body))
        if status == 402 or _error(body).get("code") in _NO_MONEY:
            return EndpointUnpaid(place=place, name=name, problem=problem)
        if status in (404, 405, 410) or 300 <= status < 400:
            return EndpointModelUnknown(place=place, name=name, code=status, problem=problem)
        return EndpointRefused(place=place, code=status, problem=problem)

    def _shown(self, text: str) -> str:
        plain = "".join(letter if letter.isprintable() else " " for letter in text)
        return masked(plain, secrets.opened(self.cp, self.endpoint.secret_id).values())[:_SHOWN] or "–"

    def _sent(self, question: Mapping[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers (in lower case) and body. Raises EndpointUnreachable, EndpointSilent and the guard's."""
        found = keeping.parts(f"{self.endpoint.address}{_PATH}")
        scheme, host, port = pinned.origin(found)
        tls = ssl.create_default_context() if scheme == "https" else None
        connection = pinned.PinnedConnection(host, port, self._addresses(scheme, host, port), self.seconds, tls)
        key = secrets.opened(self.cp, self.endpoint.secret_id).get(keeping.KEY, "")
        headers = {
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": _AGENT,
            **({"Authorization": f"Bearer {key}"} if key else {}),
        }
        body = json.dumps(question, ensure_ascii=False).encode("utf-8", "replace")
        try:
            with cut_off(lambda: connection.sock, self.seconds) as was_cut:
                try:
                    connection.request("POST", pinned.target(found), body, headers)
                    response = connection.getresponse()
                    received = response.read(_MOST_BYTES + 1)
                except (OSError, http.client.HTTPException, ValueError) as problem:
                    if was_cut.is_set() or isinstance(problem, TimeoutError):
                        raise EndpointSilent(place=self._place, allowed=self.seconds) from None
                    # a header that cannot be sent would be told with the key in it
                    said = problem.strerror if isinstance(problem, OSError) else None
                    raise EndpointUnreachable(place=self._place, problem=said or type(problem).__name__) from None
                if was_cut.is_set():
                    raise EndpointSilent(place=self._place, allowed=self.seconds)
        finally:
            connection.close()
        if len(received) > _MOST_BYTES:
            raise AnswerEndless(most=LONGEST_ANSWER, seconds=round(self.seconds))
        return response.status, {name.lower(): value for name, value in response.getheaders()}, received

    def _addresses(self, scheme: str, host: str, port: int) -> list[str]:
        networks = str(self.cp.settings.endpoint_networks)
        try:
            found = guard.resolved(host, port, networks)
        except guard.NameUnknown as problem:
            raise EndpointUnreachable(place=self._place, problem=str(problem)[:_SHOWN]) from problem
        except guard.AddressPrivate as problem:
            raise EndpointAddressPrivate(place=self._place) from problem
        if scheme != "https" and not all(guard.is_opened(one, networks) for one in found):
            raise EndpointUnencrypted(place=self._place)
        return found

    def _text(self, body: bytes) -> str:
        try:
            choice = json.loads(body)["choices"][0]
            said, finish = choice["message"], choice.get("finish_reason")
            text, refused = said.get("content") or "", said.get("refusal") or ""
            if not isinstance(text, str) or not isinstance(refused, str):
                raise TypeError("content")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as problem:
            raise EndpointFailed(place=self._place, problem=type(problem).__name__) from problem
        text = text.encode("utf-8", "replace").decode()
        if refused and not text.strip():
            raise EndpointRefused(place=self._place, code=200, problem=self._shown(refused))
        if finish == "length":
            raise AnswerCut(most=MOST_TOKENS)
        if not text.strip():
            raise AnswerEmpty
        if len(text) > LONGEST_ANSWER:
            raise AnswerEndless(most=LONGEST_ANSWER, seconds=round(self.seconds))
        return text


@dataclass(frozen=True)
class Tried:
    """What came of a question to see whether an endpoint works."""

    answer: str  # its first characters
    seconds: float


def test(actor: Actor, cp: ControlPlane, endpoint_id: int) -> Tried:
    """Ask an endpoint something short, once. Raises NotFound, Denied, TooMany and as `Client.answer`."""
    endpoint = keeping.get(actor, cp, endpoint_id, "endpoint.change")
    if not _TESTS.acquire(blocking=False):  # who waited for a turn would hold a thread, too
        raise TooMany
    try:
        with transaction():
            audit.record(actor, cp, "endpoint.test", f"endpoint:{endpoint.id}", endpoint.project_id, name=endpoint.name)
        begun = time.monotonic()
        asked = {"messages": [{"role": "user", "content": "Answer with the one word: yes"}]}
        answer = Client(cp, endpoint, _TEST_SECONDS, tries=1).answer(asked, _ask_no_more)
        return Tried(answer.strip()[:_SHOWN], time.monotonic() - begun)
    finally:
        _TESTS.release()


def _ask_no_more(seconds: float) -> None:
    """Of a single try nothing is repeated."""


def _wished(headers: Mapping[str, str], now: float) -> float:
    """How many seconds the other side wants to be left alone (`Retry-After`, also as a date); 0: it does not say."""
    written = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(written))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(written).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _error(body: bytes) -> dict[str, Any]:
    """What a refusal says, as OpenAI writes it; of others what there is."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {"message": body[:_SHOWN].decode("utf-8", "replace")}
    told = said.get("error", said) if isinstance(said, dict) else said
    return told if isinstance(told, dict) else {"message": told}


def _message(body: bytes) -> str:
    told = _error(body)
    return str(told.get("message") or told.get("detail") or "")
