"""The supervisor of one attempt: a tiny process in its own session that outlives the agent.

    python -I -S runner.py <attempt folder>

It holds `runner.lock` while it lives, starts the trainer that `spec.json` describes in a process group of its own,
with files for stdout and stderr, and writes `exit.json` atomically when the trainer has ended. SIGTERM goes on to
the trainer; after the grace the group is killed. A trainer that goes over one of the spec's limits is ended, and the
exit record says which, and how much memory it held at most. Standard library only, and nothing of the agent: an
upgrade of the agent never touches it.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SET_CHILD_SUBREAPER = 36  # of prctl(2)
_FATAL = frozenset({signal.SIGILL, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGKILL, signal.SIGSEGV})
_END_SECONDS = 10.0  # a process that the kernel does not let die is left behind
_LOOK_SECONDS = 0.5  # between looks at the memory that the trainer has
_FAMILY_LOOKS = 4  # after so many it is looked again whom it has started, which costs more
_EXPENDABLE = 500  # of 1000: where memory is short, the kernel ends the trainer before the agent and what else runs


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
    asked = threading.Event()
    threading.Thread(target=hear, args=(when_terminated(), asked), daemon=True).start()
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    begin, limits = time.time(), spec.get("limits", {})
    try:
        with (
            inherited_by_the_trainer(limits),
            Path(spec["stdout"]).open("ab") as stdout,
            Path(spec["stderr"]).open("ab") as stderr,
        ):
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
    over: list[str] = []
    peak = [0]
    ended = threading.Event()
    threading.Thread(target=watch, args=(trainer.pid, limits, asked, over, peak, ended), daemon=True).start()
    threading.Thread(target=end, args=(trainer, asked, spec["grace_seconds"], inside), daemon=True).start()
    code = status_inside(wait_for(trainer.pid)) if inside else wait_for(trainer.pid)
    ended.set()
    kill_group(trainer.pid, signal.SIGKILL)  # what the trainer started ends with it,
    end_descendants()  # and so does what has left its process group
    return {
        "status": max(code, 0), "signal": max(-code, 0), "error": "", "began": begin, "ended": time.time(),
        "over": over[0] if over else "", "limits": limits, "peak_bytes": peak[0] or resident_at_most(),
    }  # fmt: skip


def when_terminated() -> int:
    """From now on SIGTERM is a byte in a pipe; its end to read from.

    The interpreter writes it at once. A handler would run in the main thread, and not at all where the signal comes
    just before that waits for the trainer.
    """
    arrived, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda *_: None)
    return arrived


def hear(arrived: int, asked: threading.Event) -> None:
    """Wait for SIGTERM and say so."""
    os.read(arrived, 1)
    asked.set()


@contextlib.contextmanager
def inherited_by_the_trainer(limits: dict[str, float]) -> Iterator[None]:
    """What a child takes over from this process, which does not keep it: the limit of data, being expendable."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    data = int(limits.get("data_bytes", 0))
    if data and (hard == resource.RLIM_INFINITY or data < hard):
        resource.setrlimit(resource.RLIMIT_DATA, (data, hard))
    score = Path("/proc/self/oom_score_adj")  # nothing of the kind on macOS
    before = score.read_text() if score.exists() else ""
    with contextlib.suppress(OSError):
        if before:
            score.write_text(str(max(_EXPENDABLE, int(before))))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        with contextlib.suppress(OSError):
            if before:
                score.write_text(before)


def watch(
    pid: int,
    limits: dict[str, float],
    asked: threading.Event,
    over: list[str],
    peak: list[int],
    ended: threading.Event,
) -> None:
    """Note the most memory that the trainer holds, and which limit it goes over.

    Over a limit it is ended: in order for time, at once for memory.
    """
    until = time.monotonic() + (limits.get("seconds") or float("inf"))
    memory = limits.get("memory_bytes") or float("inf")
    family: list[int] = []
    looks = 0
    while not ended.wait(max(0.0, min(_LOOK_SECONDS, until - time.monotonic()))):
        if time.monotonic() >= until:
            over.append("time_limit")
            asked.set()
            until = float("inf")
        if memory < float("inf") or looks % _FAMILY_LOOKS == 0:
            family = [pid, *descendants_of(pid)]
        looks += 1
        peak[0] = max(peak[0], held := memory_of(family))
        if held > memory and not ended.is_set():
            over.append("memory_limit")
            for one in family:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            return


def memory_of(pids: list[int]) -> int:
    """Bytes that processes hold in memory, without pages of files, which the kernel may drop; 0 without /proc."""
    pages = 0
    for one in pids:
        with contextlib.suppress(OSError, ValueError):  # it has ended
            _, resident, of_files, *_ = Path(f"/proc/{one}/statm").read_text().split()
            pages += int(resident) - int(of_files)
    return pages * resource.getpagesize()


def resident_at_most() -> int:
    """Bytes that the largest process among those that have ended had in memory, pages of files among them."""
    kept = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return kept if sys.platform == "darwin" else kept * 1024


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
    while (children := families().get(os.getpid())) and time.monotonic() < deadline:
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
    children = families()
    found = children.get(pid, [])
    for child in found:  # grows while it is read
        found += children.get(child, [])
    return found


def families() -> dict[int, list[int]]:
    """The children of each process by /proc; nothing where there is none (macOS)."""
    found: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            found.setdefault(parent, []).append(int(stat.parent.name))
    return found


def end(trainer: subprocess.Popen[bytes], asked: threading.Event, grace: float, inside: bool) -> None:
    """When asked to: SIGTERM to the trainer's group, and SIGKILL after the grace.

    In a sandbox its first process is bubblewrap's, which would end before the trainer has saved its work: SIGTERM
    goes to what descends from it.
    """
    asked.wait()
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
