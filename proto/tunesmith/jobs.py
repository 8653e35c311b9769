"""The client's calls about work: sweeps, and jobs with what they say and make."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.calls import HANG, Calls, followed
from tunesmith.download import fetch
from tunesmith.v1 import automation_pb2 as pb

OVER = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})


class Jobs(Calls):
    """What a client can do with work."""

    # ---- sweeps

    def start_sweep(
        self,
        project: str,
        method: str,
        varied: Mapping[str, Any],
        trials: int,
        at_once: int = 1,
        objective: str = "held_out_loss",
        **job: Any,
    ) -> pb.Sweep:
        """Ask for up to `trials` jobs of a method, `at_once` at a time, that differ in the `varied` parameters.

        Each of those is a list of values, or `{"low": …, "high": …, "log": true}` to draw from. The best is the one
        whose `objective` is best at its end: `held_out_loss` (less is better) or `reward` (more is). `job` holds what
        `submit_job` takes besides: name, parameters, inputs, seed, idempotency_key, policy, preset.
        """
        request = pb.StartSweepRequest(
            job=_submission(project, method, **job),
            varied=json.dumps(dict(varied)),
            trials=trials,
            at_once=at_once,
            objective=objective,
        )
        return self._ask(pb.Sweep, self._stub.StartSweep, request)

    def get_sweep(self, sweep_id: int) -> pb.Sweep:
        """A sweep: its jobs with the values they were given, what came of each, and the best."""
        return self._ask(pb.Sweep, self._stub.GetSweep, pb.GetSweepRequest(id=sweep_id))

    def list_sweeps(self, project: str) -> list[pb.Sweep]:
        """The newest sweeps of a project."""
        request = pb.ListSweepsRequest(project=project)
        return list(self._ask(pb.ListSweepsReply, self._stub.ListSweeps, request).sweeps)

    def wait_sweep(self, sweep_id: int) -> Iterator[pb.Sweep]:
        """Follow a sweep until it is over: at each job that begins, and at its end."""
        return followed(
            lambda seen: self._ask(
                pb.Sweep,
                self._stub.WaitSweep,
                pb.WaitSweepRequest(id=sweep_id, after_version=seen, wait_seconds=HANG),
            )
        )

    def cancel_sweep(self, sweep_id: int) -> pb.Sweep:
        """Have a sweep start nothing more, and its open jobs end."""
        return self._ask(pb.Sweep, self._stub.CancelSweep, pb.CancelSweepRequest(id=sweep_id))

    # ---- jobs

    def submit_job(
        self,
        project: str,
        method: str,
        name: str = "",
        parameters: Mapping[str, Any] | None = None,
        inputs: Mapping[str, int] | None = None,
        seed: int = 42,
        idempotency_key: str = "",
        policy: Mapping[str, Any] | None = None,
        preset: str = "",
    ) -> pb.Job:
        """Ask for a job. `inputs` are ids of models and dataset versions by input name; parameters left out take what
        the `preset` says (`quick`, `balanced`, `thorough`, where the method has them), else their defaults. Two calls
        with the same `idempotency_key` make one job; without one, each call makes its own.
        `policy` may hold `priority`, `not_before` (epoch seconds), `lost_after` (seconds), `when_lost` and `time_limit`
        (seconds that an attempt may run); ValueError names one that is none of these or no such number.
        """
        request = _submission(project, method, name, parameters, inputs, seed, idempotency_key, policy, preset)
        return self._ask(pb.Job, self._stub.SubmitJob, request)

    def estimate_job(
        self,
        project: str,
        method: str,
        parameters: Mapping[str, Any] | None = None,
        inputs: Mapping[str, int] | None = None,
    ) -> pb.JobEstimate:
        """What such a job would take: memory, disk, and the time on each machine that could run it."""
        request = pb.EstimateJobRequest(
            project=project,
            method=method,
            parameters=json.dumps(dict(parameters or {})),
            inputs=[pb.InputRef(name=key, id=number) for key, number in (inputs or {}).items()],
        )
        return self._ask(pb.JobEstimate, self._stub.EstimateJob, request)

    def get_job(self, job_id: int) -> pb.Job:
        """A job with its attempts."""
        return self._ask(pb.Job, self._stub.GetJob, pb.GetJobRequest(id=job_id))

    def list_jobs(self, project: str, state: str = "", method: str = "", text: str = "", tag: str = "") -> list[pb.Job]:
        """The newest jobs of a project, without attempts: of a state, method or tag, or with `text` in their names."""
        request = pb.ListJobsRequest(project=project, state=state, method=method, text=text, tag=tag)
        return list(self._ask(pb.ListJobsReply, self._stub.ListJobs, request).jobs)

    def wait_job(self, job_id: int) -> Iterator[tuple[pb.Job, list[dict[str, Any]]]]:
        """Follow a job until it is over: at each change, the job and the events reported since the last one.

        An event is a dict with at least `kind` (progress, metric, checkpoint, message) and `time` (seconds since the
        epoch); see “Writing a method” for the rest.
        """
        version = cursor = 0
        while True:
            request = pb.WaitJobRequest(id=job_id, after_version=version, after_event=cursor, wait_seconds=HANG)
            reply = self._ask(pb.WaitJobReply, self._stub.WaitJob, request)
            events = [json.loads(event.body) for event in reply.events]
            yield reply.job, events
            version = reply.job.version
            cursor = reply.events[-1].id if reply.events else cursor
            if reply.job.state in OVER and not events:
                return

    def cancel_job(self, job_id: int) -> pb.Job:
        """Ask for a job to end; a running one ends in order, at its next step."""
        return self._ask(pb.Job, self._stub.CancelJob, pb.CancelJobRequest(id=job_id))

    def list_events(self, job_id: int, after: int = 0, kind: str = "") -> list[pb.Event]:
        """What a job reported after the event `after`; `body` is JSON."""
        request = pb.ListEventsRequest(job_id=job_id, after=after, kind=kind)
        return list(self._ask(pb.ListEventsReply, self._stub.ListEvents, request).events)

    def read_log(
        self, job_id: int, stream: str = "stdout", offset: int = 0, length: int = 0, attempt_id: int = 0
    ) -> tuple[bytes, int]:
        """Bytes of a log (`stdout`, `stderr`, `agent`) from `offset`, and how many there are in all."""
        request = pb.ReadLogRequest(job_id=job_id, stream=stream, offset=offset, length=length, attempt_id=attempt_id)
        reply = self._ask(pb.ReadLogReply, self._stub.ReadLog, request)
        return bytes(reply.data), int(reply.size)

    def get_job_config(self, job_id: int) -> dict[str, Any]:
        """All that a job pins: method, parameters, inputs and seed; environment and hardware of its newest attempt."""
        request = pb.GetJobConfigRequest(job_id=job_id)
        config: dict[str, Any] = json.loads(self._ask(pb.GetJobConfigReply, self._stub.GetJobConfig, request).config)
        return config

    def list_files(self, job_id: int) -> list[pb.Artifact]:
        """What a job's attempts left behind, checkpoints among it, oldest first."""
        request = pb.ListFilesRequest(job_id=job_id)
        return list(self._ask(pb.ListFilesReply, self._stub.ListFiles, request).artifacts)

    def get_file(self, job_id: int, artifact_id: int, path: str, offset: int = 0, length: int = 0) -> tuple[bytes, int]:
        """Bytes of a job's file from `offset`, as many as one answer holds, and how many there are in all."""
        request = pb.GetFileRequest(job_id=job_id, artifact_id=artifact_id, path=path, offset=offset, length=length)
        reply = self._ask(pb.GetFileReply, self._stub.GetFile, request)
        return bytes(reply.data), int(reply.size)

    def download(self, job_id: int, artifact: pb.Artifact, to: str | Path) -> list[Path]:
        """Write all files of an artifact under the folder `to`, checked by their sha256; the paths written.

        Raises CallFailed, also where a file does not arrive as it is listed; a file stands only when it is whole.
        """

        def reader(path: str) -> Callable[[int], bytes]:
            return lambda offset: self.get_file(job_id, artifact.id, path, offset)[0]

        return [fetch(file, Path(to), reader(file.path)) for file in artifact.files]


def _submission(
    project: str,
    method: str,
    name: str = "",
    parameters: Mapping[str, Any] | None = None,
    inputs: Mapping[str, int] | None = None,
    seed: int = 42,
    idempotency_key: str = "",
    policy: Mapping[str, Any] | None = None,
    preset: str = "",
) -> pb.SubmitJobRequest:
    return pb.SubmitJobRequest(
        project=project,
        method=method,
        name=name,
        parameters=json.dumps(dict(parameters or {})),
        inputs=[pb.InputRef(name=key, id=number) for key, number in (inputs or {}).items()],
        seed=seed,
        idempotency_key=idempotency_key or uuid.uuid4().hex,
        policy=_policy(policy or {}),
        preset=preset,
    )


def _policy(given: Mapping[str, Any]) -> pb.Policy:
    policy = pb.Policy()
    for name, value in given.items():
        try:
            policy.MergeFrom(pb.Policy(**{name: value}))
        except (TypeError, ValueError, OverflowError) as problem:  # none of which says the name
            raise ValueError(f"policy: {name}: {problem}") from problem
    return policy
