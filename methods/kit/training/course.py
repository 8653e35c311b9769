"""The course of a training: the same numbers on each run, going on from a checkpoint, ending when it is asked to."""

import shutil
from pathlib import Path
from typing import Any

from kit import checkpoints, signals
from kit.job import Job


def prepare(job: Job) -> None:
    """Seeds, threads and deterministic operations, before anything is loaded."""
    import torch
    from transformers import set_seed
    from transformers.utils import generic

    torch.set_num_threads(job.threads)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a help for finding errors that costs time
    set_seed(job.seed)
    generic._is_mlx_available = False  # the folder methods/mlx on our path looks like that library to it


def run(trainer: Any, job: Job, out: Path, stop: signals.Stop) -> None:
    """Train to the end, from the job's checkpoint if it has one; exits with 143 where SIGTERM asked for the end."""
    trainer.train(resume_from_checkpoint=_restored(job, out))
    shutil.rmtree(out / "restored", ignore_errors=True)
    if stop.requested:
        raise SystemExit(signals.TERMINATED)


def _restored(job: Job, out: Path) -> str | None:
    """The checkpoint to resume from as the trainer reads it, or None to begin at the first step."""
    if job.resume is None:
        return None
    shutil.rmtree(out / "restored", ignore_errors=True)
    return str(checkpoints.restore(job.resume, out / "restored"))
