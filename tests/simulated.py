"""A machine that does every job at once, with files that hold nothing."""

from __future__ import annotations

import json
import threading

from control_plane.context import ControlPlane
from control_plane.domain.permissions import Actor
from control_plane.domain.presence import ReplicaStatus
from control_plane.services import deployments, methods
from control_plane.services.fleet import scheduling
from control_plane.services.workflows import steps as workflow_steps
from control_plane.store.database import database
from control_plane.store.deployments import ReplicaRecord
from control_plane.store.jobs import AttemptRecord, JobRecord
from control_plane.store.methods import MethodVersionRecord
from fleet_support import model_files, succeed


class SimulatedMachine(threading.Thread):
    """Takes each offer and brings the outputs that the method's manifest promises."""

    def __init__(self, cp: ControlPlane, machine: Actor) -> None:
        super().__init__(daemon=True)
        self._cp, self._machine = cp, machine
        self.done = threading.Event()
        self.tuned = [1] * 32  # how the tuned model does on each held-out row; the base model fails on all

    def run(self) -> None:
        while not self.done.is_set():
            seen = self._cp.signals.version("schedule")
            workflow_steps.advance(self._cp)
            scheduling.run_pass(self._cp)
            for attempt in AttemptRecord.select().where(AttemptRecord.state == "OFFERED"):
                succeed(self._machine, self._cp, attempt, self._outputs(attempt))
            for replica in ReplicaRecord.select().where(ReplicaRecord.state != "SERVING"):
                status = ReplicaStatus(replica.id, replica.generation, "SERVING", "", {}, 0, 1)
                deployments.observe(self._machine, self._cp, 1, [status])
            self._cp.signals.wait(frozenset({"schedule"}), {"schedule": seen}, 0.1)
        database.close()

    def _outputs(self, attempt: AttemptRecord) -> dict[str, dict[str, bytes]]:
        job = JobRecord.get_by_id(attempt.job_id)
        promised = methods.manifest(MethodVersionRecord.get_by_id(job.method_version_id)).outputs
        made = {name: model_files(output.form) for name, output in promised.items() if output.kind == "model"}
        scores = {"baseline": [0] * 32, "candidate": self.tuned}
        rows = [{"row": n, "prompt": "p", "expected": "e", "answers": dict.fromkeys(scores, "a")} for n in range(32)]
        content = {
            "candidates": list(scores),
            "metrics": {"schema_valid": scores, "exact_match": scores},
            "primary_metric": "schema_valid",
            "rows": rows,
            "seconds": dict.fromkeys(scores, 1.0),
        }
        others = {name: output.path for name, output in promised.items() if output.kind == "evaluation"}
        return made | {name: {path: json.dumps(content).encode()} for name, path in others.items()}
