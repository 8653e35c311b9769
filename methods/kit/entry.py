"""How every method starts: ``--job`` and ``--out``, a refusal becomes one message and exit status 2."""

import argparse
import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

from kit import job as jobs
from kit import signals
from kit.events import Events, Refusal, fail


def run(main: Callable[[jobs.Job, Path, Events], None], description: str | None = None) -> None:
    """Read the arguments and the job, call ``main(job, out, events)``, and turn refusals into exit status 2.

    Anything else that goes wrong is a crash: Python's traceback on stderr and exit status 1.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--job", type=Path, required=True, help="the job file")
    parser.add_argument("--out", type=Path, required=True, help="the output folder")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    events = Events(arguments.out)
    signals.install()
    try:
        _carry_out(main, arguments.job, arguments.out.resolve(), events)
    except Refusal as refusal:
        _refuse(events, refusal)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _refuse(events, Refusal("disk_full", "There is no space left on the disk.", {"path": str(arguments.out)}))


def _carry_out(main: Callable[[jobs.Job, Path, Events], None], path: Path, out: Path, events: Events) -> None:
    job = jobs.read(path)
    _prepare_process(job)
    try:
        main(job, out, events)
    except RecursionError:
        fail("nested_too_deeply", "Something in the input is nested too deeply to be read.")


def _prepare_process(job: jobs.Job) -> None:
    """Set what libraries read once, when they are first imported."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")  # bars that draw over themselves make a log unreadable
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("OMP_NUM_THREADS", str(job.threads))
    # Threads that wait by spinning lose their turn to any other busy process, and every step then waits for them: on
    # a machine that somebody also uses this is ten times slower than going to sleep soon.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    cuda = [name.partition(":")[2] or "0" for name in job.devices if name.startswith("cuda")]
    # An empty list hides every GPU: a job that was placed on the CPU must not touch somebody else's device.
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", ",".join(cuda))
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def _refuse(events: Events, refusal: Refusal) -> None:
    try:
        events.message("error", refusal.code, refusal.text, **refusal.params)
    except OSError as error:  # the disk may be what is full; stderr still tells the reason
        sys.stderr.write(f"events.jsonl cannot be written: {error}\n")
    sys.stderr.write(f"{refusal.text}\n")
    raise SystemExit(2)
