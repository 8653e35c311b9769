"""Bytes of a job's log as ts-log asks for them: a range by offset, from the end, or from a line's number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flask import Response, request

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.services import jobs
from control_plane.store.jobs import LogRecord
from web.paging import asked_number

CHUNK = 65_536  # bytes that are answered at most
_STEP = 1 << 20  # bytes read at once to count lines
_COUNTED = 64 << 20  # bytes before an offset up to which lines are counted; beyond it they have no numbers


def telling(logs: Sequence[LogRecord]) -> str:
    """The stream to open first: what the method printed, or the only one in which something stands."""
    written = {log.stream for log in logs if log.size}
    return next((stream for stream in ("stdout", "stderr", "agent") if stream in written), "stdout")


def answer(actor: Actor, cp: ControlPlane, job_id: int, attempt_id: int, stream: str) -> Response:
    """The bytes that the query asks for, with the headers X-Log-Start, -Line, -Size and, if no more come, -Sealed."""
    reader = _Reader(actor, cp, job_id, stream, attempt_id)
    start, line = reader.place()
    data = reader.read(start, min(asked_number("limit", CHUNK), CHUNK))
    headers = {"X-Log-Start": str(start), "X-Log-Line": str(line), "X-Log-Size": str(reader.size)}
    if reader.is_sealed():
        headers["X-Log-Sealed"] = "1"
    return Response(data, content_type="application/octet-stream", headers=headers)


class _Reader:
    """One log of one attempt."""

    def __init__(self, actor: Actor, cp: ControlPlane, job_id: int, stream: str, attempt_id: int) -> None:
        self._actor, self._cp = actor, cp
        self._job_id, self._stream, self._attempt_id = job_id, stream, attempt_id
        self.size = self._bytes(0, 0)[1]

    def _bytes(self, offset: int, length: int) -> tuple[bytes, int]:
        return jobs.read_log(self._actor, self._cp, self._job_id, self._stream, offset, length, self._attempt_id)

    def read(self, offset: int, length: int) -> bytes:
        data, self.size = self._bytes(offset, length)
        return data

    def place(self) -> tuple[int, int]:
        """(offset of the first byte, number of its line or 0 where that is not known)."""
        if "line" in request.args:
            return self._of_line(max(1, asked_number("line", 1)))
        text = request.args.get("offset", "0")
        asked = int(text) if text.removeprefix("-").isdecimal() and len(text) < 16 else 0
        start = max(0, self.size + asked) if asked < 0 else min(asked, self.size)
        return start, self._line_at(start)

    def _line_at(self, offset: int) -> int:
        if offset > _COUNTED:
            return 0
        return 1 + sum(data.count(b"\n") for data in self._pieces(offset))

    def _of_line(self, wanted: int) -> tuple[int, int]:
        """Where a line begins; the beginning of the last line where there are fewer."""
        offset, line, start = 0, 1, (0, 1)
        for data in self._pieces(self.size):
            at = -1
            while line < wanted and (at := data.find(b"\n", at + 1)) >= 0:
                line += 1
                start = (offset + at + 1, line)
            if line >= wanted:
                break
            offset += len(data)
        return start

    def _pieces(self, end: int) -> Iterator[bytes]:
        at = 0
        while at < end:
            data, _ = self._bytes(at, min(_STEP, end - at))
            if not data:
                return
            yield data
            at += len(data)

    def is_sealed(self) -> bool:
        found = [log for log in jobs.logs(self._actor, self._cp, self._job_id) if log.stream == self._stream]
        mine = [log for log in found if self._attempt_id in (0, log.attempt_id)]
        return bool(mine) and bool(mine[-1].sealed_at)
