"""An interpreter that has a method's libraries imported and runs scripts in forks of itself.

Importing torch and what stands on it takes ten seconds of a processor, and the tests start a hundred and more methods.
The agent starts each in an interpreter of its own, and so do the journeys.

This file is both ends: a test imports it, and the method's interpreter runs it (standard library alone).
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
import types
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

METHODS = Path(__file__).parents[1] / "methods"

# ---- in the test


class Run:
    """A script under way, to be used like subprocess.Popen."""

    def __init__(self, channel: socket.socket, stdout: Any, stderr: Any) -> None:
        self._channel, self._files = channel, (stdout, stderr)
        self._lines = channel.makefile("r")
        self.pid = int(self._lines.readline())
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def poll(self) -> int | None:
        """How it ended, or None while it runs."""
        if self.returncode is None:
            self._channel.settimeout(0)
            try:
                ended = self._channel.recv(1, socket.MSG_PEEK)
            except BlockingIOError:
                return None
            finally:
                self._channel.settimeout(None)
            assert ended, "the interpreter that runs it has ended"
            self.returncode = int(self._lines.readline())
        return self.returncode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Wait for its end; what it said on stdout and stderr. Raises TimeoutError, and then it is killed."""
        self._channel.settimeout(timeout)
        try:
            self._channel.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            self.send_signal(signal.SIGKILL)
            raise
        self.poll()
        for file in self._files:
            file.seek(0)
        stdout, stderr = (file.read().decode(errors="replace") for file in self._files)
        return stdout, stderr


class Interpreter:
    """One that waits to be forked. It ends when nobody has it any more."""

    def __init__(self, python: str, environment: dict[str, str]) -> None:
        self._channel, far = socket.socketpair()
        command = [python, __file__, str(far.fileno())]
        self._process = subprocess.Popen(command, env=environment, pass_fds=[far.fileno()])
        far.close()

    def start(self, argv: list[str], environment: dict[str, str], cwd: Path | None = None) -> Run:
        """Run `argv`, which is a script with its arguments, or `-c` with code and arguments."""
        near, far = socket.socketpair()
        files = [tempfile.TemporaryFile() for _ in range(2)]  # noqa: SIM115 — they live as long as the run
        asked = {"argv": argv, "environment": environment, "cwd": str(cwd or Path.cwd())}
        body = json.dumps(asked).encode() + b"\n"
        socket.send_fds(self._channel, [body], [far.fileno(), *(file.fileno() for file in files)])
        far.close()
        return Run(near, *files)


@lru_cache(maxsize=3)  # each holds hundreds of megabytes
def interpreter(python: str) -> Interpreter:
    """The one of this test session. It has the kit on its path."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return Interpreter(python, kept | {"PYTHONPATH": str(METHODS), "PYTHONDONTWRITEBYTECODE": "1"})


# ---- in the method's interpreter

# imported late by those who need them
SLOW = (
    "datasets",
    "peft",
    "safetensors.torch",
    "transformers.trainer",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.llama.modeling_llama",
    "transformers.models.gpt_neox.modeling_gpt_neox",
)


def serve(channel: socket.socket) -> None:
    """Fork for each request, until the test's process ends; each waits for a fork of its own, which runs the script."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        body, descriptors, *_ = socket.recv_fds(channel, 1 << 20, 3)
        if not body:
            sys.exit()
        while not body.endswith(b"\n"):
            body += channel.recv(1 << 20)
        if os.fork() == 0:
            break
        for descriptor in descriptors:
            os.close(descriptor)
    channel.close()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    told, *outputs = descriptors
    if child := os.fork():
        os.write(told, b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.close(told)
    for number, output in enumerate(outputs, start=1):
        os.dup2(output, number)
    end_as(json.loads(body))


def end_as(asked: dict[str, Any]) -> NoReturn:
    """Run what was asked for, and end as an interpreter does, but at once: taking all modules apart takes seconds."""
    status = 0
    try:
        become(asked)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if status and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except BaseException:  # noqa: BLE001 — as the interpreter does with whatever nobody catches
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def become(asked: dict[str, Any]) -> None:
    """Be an interpreter that has just been started for this."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["cwd"])
    first, *rest = asked["argv"]
    if first == "-c":
        code, *rest = rest
        sys.argv, sys.path[0] = ["-c", *rest], ""
        sys.modules["__main__"] = main = types.ModuleType("__main__")
        exec(compile(code, "<string>", "exec"), main.__dict__)
    else:
        sys.argv, sys.path[0] = [first, *rest], str(Path(first).parent)
        runpy.run_path(first, run_name="__main__")


def import_what_is_slow() -> None:
    """torch and what stands on it, the kit's modules among them, as far as this environment has them."""
    from kit import entry  # type: ignore[import-not-found]

    entry._prepare_process(types.SimpleNamespace(threads=1, devices=()))
    kit = Path(entry.__file__).parent
    files = [path for pattern in ("*.py", "training/*.py", "apple/*.py") for path in sorted(kit.glob(pattern))]
    for name in [*SLOW, *(".".join(path.relative_to(kit.parent).with_suffix("").parts) for path in files)]:
        with contextlib.suppress(ImportError, RuntimeError):  # the latter is how trl says the former
            importlib.import_module(name)


if __name__ == "__main__":
    import_what_is_slow()
    gc.freeze()  # a fork's collections leave alone what it shares
    serve(socket.socket(fileno=int(sys.argv[1])))
