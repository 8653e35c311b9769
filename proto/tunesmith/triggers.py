"""The client's calls about triggers: what starts a workflow by itself, and what it started."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.calls import Calls
from tunesmith.v1 import automation_pb2 as pb


class Triggers(Calls):
    """What a client can do with triggers."""

    def add_trigger(
        self,
        workflow_id: int,
        kind: str,
        cron: str = "",
        every: float = 0.0,
        time_zone: str = "UTC",
        missed: str = "once",
        dataset: str = "",
        quiet: tuple[str, str] | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> pb.AddTriggerReply:
        """Have a workflow started by a schedule, a new version of a dataset, a new base model or a webhook's call.

        `quiet` are hours in which nothing starts, as ("22:00", "06:00") in the time zone; `given` parameters of the
        run. A webhook's key is in the answer, this once.
        """
        request = pb.AddTriggerRequest(
            workflow_id=workflow_id,
            kind=kind,
            schedule=pb.Schedule(every=every, cron=cron, time_zone=time_zone),
            missed=missed,
            dataset=dataset,
            quiet=pb.QuietHours(begin=quiet[0], end=quiet[1], time_zone=time_zone) if quiet else None,
            given=json.dumps(given or {}),
        )
        return self._ask_once(pb.AddTriggerReply, self._stub.AddTrigger, request)

    def list_triggers(self, workflow_id: int) -> list[pb.Trigger]:
        """What starts a workflow by itself, the oldest first."""
        request = pb.ListTriggersRequest(workflow_id=workflow_id)
        return list(self._ask(pb.ListTriggersReply, self._stub.ListTriggers, request).triggers)

    def list_firings(self, trigger_id: int, limit: int = 0) -> list[pb.Firing]:
        """Each time that a trigger fired, with the run that it started, the newest first; 100 at most."""
        request = pb.ListFiringsRequest(trigger_id=trigger_id, limit=limit)
        return list(self._ask(pb.ListFiringsReply, self._stub.ListFirings, request).firings)

    def remove_trigger(self, trigger_id: int) -> None:
        """Have a trigger start nothing more; the runs that it started stay."""
        self._ask_once(pb.RemoveTriggerReply, self._stub.RemoveTrigger, pb.RemoveTriggerRequest(id=trigger_id))
