"""What an attempt has to tell, in order and without loss: state reports, log bytes, events.

A report is written down with the state it reports, then sent; log and event offsets move when they are acknowledged.
After a crash of the agent all of them go on from what the store says.
"""

from __future__ import annotations

import hashlib
import json
import logging
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from agent.attempts.masking import Mask
from agent.link.calls import Faulty, Link, Refused
from agent.storage.files import is_plain, open_plain
from agent.storage.state import Store
from tunesmith.v1 import fleet_pb2 as pb

log = logging.getLogger(__name__)

_LOG_REFUSALS = ("file_too_large", "log_diverged")
STREAMS = ("agent", "stdout", "stderr")
MARKER = b"[tunesmith]"  # begins the line that closes a log which became too long
CHUNK = 256 << 10
_LONGEST_LINE = 64 << 10
_EVENTS_AT_ONCE = 500


class NoPlainFile(Exception):
    """The trainer put something else where it writes its events or its log."""


class Outbox:
    """One attempt's reports. Used by the attempt's own thread only.

    All that sends raises link.Refused, link.Faulty, link.LinkClosed, and whatever `let_go` raises, which is called
    while a call waits for its next try.
    """

    def __init__(
        self, link: Link, store: Store, offer: pb.Offer, folder: Path, mask: Mask, let_go: Callable[[], None]
    ) -> None:
        self._link = link
        self._let_go = let_go
        self._store = store
        self._attempt, self._fence = offer.attempt_id, offer.fence
        self._logs = {stream: folder / "log" / stream for stream in STREAMS}
        self._events = folder / "out" / "events.jsonl"
        self._mask = mask
        self._events_at: tuple[int, int] | None = None  # acknowledged lines, and the byte after them

    # ---- states

    def report(
        self, state: str, reason: str = "", params: str = "", lock: str = "", stage: str = "", peak_bytes: int = 0
    ) -> None:
        """Write the new state and its report down, then send all that is unsent. Raises Unwritable."""
        body = self._body(state, reason, params)
        body.environment_lock, body.stage, body.peak_memory_bytes = lock, stage, peak_bytes
        self._store.add_report(self._attempt, state, body.SerializeToString())
        self.send_reports()

    def report_unwritten(self, state: str, reason: str, params: str) -> None:
        """Send an end that the store has no room for. If the agent dies now, the next one is told that it is over."""
        last = 0
        for last, body in self._store.reports(self._attempt):
            self._ask(_numbered(body, last))
        row = self._store.attempt(self._attempt)
        request = self._body(state, reason, params)
        request.sequence = max(last, row.sequence if row else 0) + 1
        self._ask(request)

    def _body(self, state: str, reason: str, params: str) -> pb.ReportStateRequest:
        return pb.ReportStateRequest(
            attempt_id=self._attempt, fence=self._fence, state=state, reason=reason, params=params, at=time.time()
        )  # fmt: skip

    def send_reports(self) -> None:
        """Send what is unsent, in order."""
        for sequence, body in self._store.reports(self._attempt):
            try:
                self._ask(_numbered(body, sequence))
            except (Refused, Faulty):
                self._store.withdraw_report(self._attempt, sequence)  # its number is free for what is said instead
                raise
            self._store.drop_report(self._attempt, sequence)

    def _ask(self, request: Any) -> Any:
        return self._link.ask(request, tick=self._let_go)

    # ---- logs

    def send_logs(self) -> None:
        """Send the complete lines that are new in each stream. Raises NoPlainFile."""
        for stream in STREAMS:
            committed, sealed = self._store.log(self._attempt, stream)
            if sealed or _size(self._logs[stream]) <= committed:
                continue
            try:
                self._send_log(stream, committed, final=False)
            except Refused as refusal:
                self._give_up(stream, refusal)

    def seal_logs(self) -> None:
        """Send each stream to its last byte and seal it with length and sha256; a mismatch rewinds."""
        for stream in STREAMS:
            try:
                self._seal_log(stream)
            except Refused as refusal:
                self._give_up(stream, refusal)

    def _seal_log(self, stream: str) -> None:
        committed, sealed = self._store.log(self._attempt, stream)
        while not sealed:
            self._send_log(stream, committed, final=True)
            reply = self._ask(self._seal(stream))
            committed, sealed = reply.committed, reply.sealed
            self._store.set_log(self._attempt, stream, committed, int(sealed))

    def _send_log(self, stream: str, committed: int, final: bool) -> int:
        while data := self._next(self._logs[stream], committed, final):
            request = pb.AppendLogRequest(
                attempt_id=self._attempt, fence=self._fence, stream=stream, offset=committed, data=data
            )
            committed = int(self._ask(request).committed)
            self._store.set_log(self._attempt, stream, committed, 0)
        return committed

    def _give_up(self, stream: str, refusal: Refused) -> None:
        """The control plane takes no more of this stream: it is too long, or is not what it was. Training goes on."""
        if refusal.code not in _LOG_REFUSALS:
            raise refusal
        log.warning("attempt %d: no more of %s is sent: %s", self._attempt, stream, refusal)
        committed = self._store.log(self._attempt, stream)[0]
        if refusal.code == "file_too_large":
            committed = self._mark_end(stream, committed)
        self._store.set_log(self._attempt, stream, committed, 1)

    def _mark_end(self, stream: str, committed: int) -> int:
        """Close the stream with a line that says that it is cut off here; its length then."""
        data = b"\n%s the log is cut off here, after %d bytes: it became too long\n" % (MARKER, committed)
        request = pb.AppendLogRequest(
            attempt_id=self._attempt, fence=self._fence, stream=stream, offset=committed, data=data
        )
        try:
            length = int(self._ask(request).committed)
            if length == committed + len(data):
                self._ask(self._seal(stream, committed, data))
        except Refused as refusal:
            if refusal.code not in _LOG_REFUSALS:
                raise
            return committed
        return length

    def _next(self, path: Path, offset: int, final: bool) -> bytes:
        """Masked bytes from `offset`: whole lines, at most CHUNK bytes; what has no end yet only when `final`."""
        if not _size(path):
            return b""
        with open_plain(path) as file:
            file.seek(offset)
            taken = bytearray()
            for line in _lines(file):
                if len(taken) + len(line) > CHUNK or not (final or _ended(line)):
                    break
                taken += self._mask.cover(line)
        return bytes(taken)

    def _seal(self, stream: str, limit: int = sys.maxsize, added: bytes = b"") -> pb.SealLogRequest:
        """Length and sha256 of the stream as it was sent: its lines up to `limit` bytes, and what was `added`."""
        whole, length = hashlib.sha256(), 0
        path = self._logs[stream]
        if _size(path):
            with open_plain(path) as file:
                for line in _lines(file):
                    if length >= limit:
                        break
                    whole.update(self._mask.cover(line))
                    length += len(line)
        whole.update(added)
        return pb.SealLogRequest(
            attempt_id=self._attempt, fence=self._fence, stream=stream, length=length + len(added),
            sha256=whole.hexdigest(),
        )  # fmt: skip

    # ---- events

    def send_events(self) -> None:
        """Send the complete lines of events.jsonl that are new. Raises NoPlainFile."""
        while events := self._new_events():
            request = pb.AppendEventsRequest(attempt_id=self._attempt, fence=self._fence, events=[e for e, _ in events])
            committed = int(self._ask(request).committed)
            self._store.set_events(self._attempt, committed)
            end = next((position for event, position in events if event.sequence == committed), None)
            self._events_at = (committed, end) if end is not None else None

    def _new_events(self) -> list[tuple[pb.AttemptEvent, int]]:
        """The next unacknowledged lines, each with the byte after it; a line's number is its sequence."""
        done, position = self._events_at or self._find_events()
        if _size(self._events) <= position:
            return []
        taken: list[tuple[pb.AttemptEvent, int]] = []
        with open_plain(self._events) as file:
            file.seek(position)
            size = 0
            for number, line in enumerate(file, done + 1):
                size += len(line)
                if not line.endswith(b"\n") or len(taken) == _EVENTS_AT_ONCE or (taken and size > CHUNK):
                    break
                position += len(line)
                taken.append((pb.AttemptEvent(sequence=number, body=self._event(number, line)), position))
        return taken

    def _find_events(self) -> tuple[int, int]:
        """Where the acknowledged lines end, after a start of the agent or a rewind."""
        row = self._store.attempt(self._attempt)
        done, position = (row.events if row else 0), 0
        if done and _size(self._events):
            with open_plain(self._events) as file:
                position = sum(len(line) for line, _ in zip(file, range(done), strict=False))
        self._events_at = (done, position)
        return done, position

    def _event(self, number: int, line: bytes) -> str:
        """The line, masked; what is no JSON object of a sane size becomes a warning in its place."""
        try:
            text = self._mask.cover(line).decode().strip()
            if len(line) <= _LONGEST_LINE and isinstance(json.loads(text), dict):
                return text
        except (ValueError, RecursionError):
            pass
        return json.dumps(
            {"kind": "message", "time": time.time(), "level": "warning", "code": "event_unreadable",
             "params": {"line": number}, "text": f"Line {number} of events.jsonl cannot be read."}
        )  # fmt: skip


def _numbered(body: bytes, sequence: int) -> pb.ReportStateRequest:
    request = pb.ReportStateRequest.FromString(body)
    request.sequence = sequence
    return request


def last_lines(path: Path, limit: int = 2000) -> str:
    """The end of a log for an error message, at most `limit` characters."""
    if not is_plain(path):
        return ""
    with open_plain(path) as file:
        file.seek(max(0, path.stat().st_size - limit * 2))
        return file.read().decode(errors="replace").strip()[-limit:]


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines, also those of progress bars (ended by a carriage return); an endless one is cut at a fixed length."""
    for line in iter(lambda: file.readline(_LONGEST_LINE), b""):
        yield from line.splitlines(keepends=True) if b"\r" in line else (line,)


def _ended(line: bytes) -> bool:
    return line.endswith((b"\n", b"\r")) or len(line) >= _LONGEST_LINE


def _size(path: Path) -> int:
    """Bytes of a file that may not be there yet. Raises NoPlainFile."""
    try:
        facts = path.lstat()
    except FileNotFoundError:
        return 0
    except NotADirectoryError as problem:
        raise NoPlainFile(path.name) from problem
    if not stat.S_ISREG(facts.st_mode):
        raise NoPlainFile(path.name)
    return facts.st_size
