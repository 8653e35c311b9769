"""The supervisor of one attempt: a tiny process in its own session that outlives the agent.

    python -I -S runner.py <attempt folder>

It holds `runner.lock` while it lives, starts the trainer that `spec.json` describes in a process group of its own,
with files for stdout and stderr, and writes `exit.json` atomically when the trainer has ended. SIGTERM goes on to
the trainer; after the grace the group is killed. Standard library only, and nothing of the agent: an upgrade of the
agent never touches it.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

_SET_CHILD_SUBREAPER = 36  # of prctl(2)
_FATAL = frozenset({signal.SIGILL, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGKILL, signal.SIGSEGV})
_END_SECONDS = 10.0  # a process that the kernel does not let die is left behind


def main(folder: Path) -> int:
    """Run the trainer to its end; 0 once the exit record stands, 3 when another runner has this attempt."""
    lock = os.open(folder / "runner.lock", os.O_RDWR | os.O_CREAT, 0o600)
    if not taken(lock):
        return 3
    adopt_orphans()
    if (folder / "exit.json").exists():  # an attempt is run once
        return 0
    try:
        spec = json.loads((folder / "spec.json").read_text())
    except FileNotFoundError:  # the attempt was ended before this process got here
        return 0
    write(folder / "runner.json", {"pid": os.getpid()})
    write(folder / "exit.json", run(folder, spec))
    return 0


def run(folder: Path, spec: dict[str, Any]) -> dict[str, Any]:
    """Start the trainer and wait for it; the exit record."""
    asked: queue.SimpleQueue[int] = queue.SimpleQueue()  # unlike an event, safe to use in a signal's handler
    signal.signal(signal.SIGTERM, lambda number, _: asked.put(number))
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    begin = time.time()
    try:
        with Path(spec["stdout"]).open("ab") as stdout, Path(spec["stderr"]).open("ab") as stderr:
            trainer = subprocess.Popen(
                spec["argv"], cwd=spec["cwd"], env=spec["env"], stdin=subprocess.DEVNULL,
                stdout=stdout, stderr=stderr, process_group=0,
            )  # fmt: skip
    except OSError as problem:
        return {"status": 127, "signal": 0, "error": str(problem), "began": begin, "ended": time.time()}
    try:
        write(folder / "trainer.json", {"pid": trainer.pid, "began": begin})
    except OSError:  # nobody would find the trainer again
        kill_group(trainer.pid, signal.SIGKILL)
        raise
    inside = spec.get("sandboxed", False)
    threading.Thread(target=end, args=(trainer, asked, spec["grace_seconds"], inside), daemon=True).start()
    code = status_inside(wait_for(trainer.pid)) if inside else wait_for(trainer.pid)
    kill_group(trainer.pid, signal.SIGKILL)  # what the trainer started ends with it,
    end_descendants()  # and so does what has left its process group
    return {"status": max(code, 0), "signal": max(-code, 0), "error": "", "began": begin, "ended": time.time()}


def taken(lock: int) -> bool:
    """Take the lock within a second: a look at whether it is held takes it too, for microseconds."""
    for _ in range(50):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)
        else:
            return True
    return False


def adopt_orphans() -> None:
    """On Linux: whatever of the trainer's loses its parent becomes this process's child."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wait_for(pid: int) -> int:
    """Collect adopted children until `pid` has ended; its status, or the negative number of a signal."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def end_descendants() -> None:
    """Kill all that descends from this process, level by level, as killing a parent hands its children to us."""
    deadline = time.monotonic() + _END_SECONDS
    while (children := children_of(os.getpid())) and time.monotonic() < deadline:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.01)


def status_inside(code: int) -> int:
    """The trainer's own end from bubblewrap's: it says 128 + n for a signal n.

    A method that ends in order after SIGTERM says 143 as well (methods/kit/signals.py), so that one stays a status.
    """
    return 128 - code if code - 128 in _FATAL else code


def descendants_of(pid: int) -> list[int]:
    """All that a process has started, and what those have."""
    found = children_of(pid)
    for child in found:  # grows while it is read
        found += children_of(child)
    return found


def children_of(pid: int) -> list[int]:
    """The children of a process by /proc; nothing where there is none (macOS)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(stat.parent.name))
    return found


def end(trainer: subprocess.Popen[bytes], asked: "queue.SimpleQueue[int]", grace: float, inside: bool) -> None:
    """When asked to: SIGTERM to the trainer's group, and SIGKILL after the grace.

    In a sandbox its first process is bubblewrap's, which would end before the trainer has saved its work: SIGTERM
    goes to what descends from it.
    """
    asked.get()
    if inside:
        for pid in descendants_of(trainer.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
    else:
        kill_group(trainer.pid, signal.SIGTERM)
    time.sleep(grace)
    kill_group(trainer.pid, signal.SIGKILL)


def kill_group(group: int, number: int) -> None:
    """Send a signal to a process group that may have ended already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def write(path: Path, value: dict[str, Any], patience: float = 60.0) -> None:
    """Write a JSON file whole and synced, or not at all; a disk that is full gets `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        try:
            return put(path, value)
        except FileNotFoundError:  # the folder has gone
            raise
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(min(patience, 0.5))


def put(path: Path, value: dict[str, Any]) -> None:
    """One try of `write`."""
    partial = path.with_suffix(".partial")
    with partial.open("w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
