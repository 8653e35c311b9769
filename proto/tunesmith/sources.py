"""The client's calls about sources: connectors, what they find, and fetching it once or again and again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.calls import Calls
from tunesmith.v1 import automation_pb2 as pb


class Sources(Calls):
    """What a client can do with sources of data."""

    def list_connectors(self, project: str) -> list[pb.Connector]:
        """By what data can be fetched; `parameters` is a JSON Schema, `secrets` JSON."""
        request = pb.ListConnectorsRequest(project=project)
        return list(self._ask(pb.ListConnectorsReply, self._stub.ListConnectors, request).connectors)

    def look_at_source(
        self,
        project: str,
        connector: str,
        parameters: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        like_id: int = 0,
    ) -> pb.LookAtSourceReply:
        """What there is to fetch, each with the `parameters` (JSON) that fetch it; `like_id`: a source with secrets."""
        request = pb.LookAtSourceRequest(
            project=project,
            connector=connector,
            parameters=json.dumps(parameters or {}),
            secrets=secrets,
            like_id=like_id,
        )
        return self._ask(pb.LookAtSourceReply, self._stub.LookAtSource, request)

    def begin_source(
        self,
        project: str,
        connector: str,
        parameters: Mapping[str, Any],
        secrets: Mapping[str, str] | None = None,
        name: str = "",
        like_id: int = 0,
    ) -> pb.Draft:
        """Have a file fetched, read and checked; `wait_draft` follows. Saved, the dataset keeps the source."""
        request = pb.BeginSourceRequest(
            project=project,
            connector=connector,
            parameters=json.dumps(parameters),
            secrets=secrets,
            name=name,
            like_id=like_id,
        )
        return self._ask_once(pb.Draft, self._stub.BeginSource, request)

    def list_sources(self, project: str) -> list[pb.Source]:
        """The sources of a project's datasets, by the datasets' names."""
        request = pb.ListSourcesRequest(project=project)
        return list(self._ask(pb.ListSourcesReply, self._stub.ListSources, request).sources)

    def get_source(self, source_id: int) -> pb.Source:
        """A source, with what came of its last refresh and when the next one is."""
        return self._ask(pb.Source, self._stub.GetSource, pb.GetSourceRequest(id=source_id))

    def refresh_source(self, source_id: int, overwrite: bool = False) -> pb.Draft:
        """Fetch a source again; `wait_draft` follows. A new version is made only if the content has changed.

        Where the newest version did not come of the source, the draft fails unless `overwrite` is set: what was
        changed, labelled or uploaded since is not in the new version.
        """
        request = pb.RefreshSourceRequest(id=source_id, overwrite=overwrite)
        return self._ask_once(pb.Draft, self._stub.RefreshSource, request)

    def schedule_source(self, source_id: int, every: float = 0.0, cron: str = "", time_zone: str = "UTC") -> pb.Source:
        """Have a source fetched by itself, every so many seconds or by a cron line; with neither, no longer."""
        wished = pb.Schedule(every=every, cron=cron, time_zone=time_zone) if every or cron else None
        request = pb.ScheduleSourceRequest(id=source_id, schedule=wished)
        return self._ask(pb.Source, self._stub.ScheduleSource, request)

    def remove_source(self, source_id: int) -> None:
        """Fetch a source no more and forget its secrets; the dataset stays."""
        self._ask(pb.RemoveSourceReply, self._stub.RemoveSource, pb.RemoveSourceRequest(id=source_id))
