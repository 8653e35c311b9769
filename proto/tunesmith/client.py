"""The Python client of the public API: each method is one call, or waits by repeating one.

Answers are the messages of automation.proto (`tunesmith.v1.automation_pb2`), whose fields are plain Python values.
A call that gets no answer is repeated for `patience` seconds; a refusal raises CallFailed with a sentence and a code.
Here stand models, serving and what all things have; the others stand by what they are about (`installation.py`,
`datasets.py`, `labelling.py`, `listeners.py`, `jobs.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tunesmith.calls import HANG
from tunesmith.cases import Cases
from tunesmith.connection import CallFailed, find, streamed
from tunesmith.datasets import Datasets
from tunesmith.endpoints import Endpoints
from tunesmith.installation import Installation
from tunesmith.jobs import Jobs
from tunesmith.labelling import Labelling
from tunesmith.listeners import Listeners
from tunesmith.prompts import Prompts
from tunesmith.repeats import Repeats
from tunesmith.rewards import Rewards
from tunesmith.sources import Sources
from tunesmith.triggers import Triggers
from tunesmith.v1 import automation_pb2 as pb
from tunesmith.workflows import Workflows


def connect(
    address: str | None = None,
    token: str | None = None,
    authority: str | None = None,
    data: str | Path | None = None,
    language: str = "",
) -> Client:
    """A client of the control plane at `address` (host:port), or of the one that is configured.

    What is left out is looked for in the environment (TUNESMITH_API, TUNESMITH_TOKEN, TUNESMITH_AUTHORITY) and in the
    files that `tunesmith login` and `tunesmith up` write. `authority` is PEM text, `data` a folder of `tunesmith up`,
    `language` that of the error messages (en, de, zh). Raises NotConfigured.
    """
    return Client(find(address, token, authority, Path(data) if data else None), language)


class Client(
    Installation,
    Cases,
    Datasets,
    Sources,
    Endpoints,
    Labelling,
    Listeners,
    Jobs,
    Prompts,
    Rewards,
    Triggers,
    Workflows,
    Repeats,
):
    """All that the public API offers. Usable by several threads, and as a context manager."""

    # ---- models and evaluations

    def list_models(
        self, project: str, form: str = "", offset: int = 0, limit: int = 0, tag: str = ""
    ) -> list[pb.Model]:
        """The models of a project, newest first, of one form (base, adapter, merged, …) if named; 100 at a time."""
        request = pb.ListModelsRequest(project=project, form=form, offset=offset, limit=limit, tag=tag)
        return list(self._ask(pb.ListModelsReply, self._stub.ListModels, request).models)

    def get_model(self, model_id: int) -> pb.Model:
        """A model; `card` is JSON: what it is, and all that its making pinned."""
        return self._ask(pb.Model, self._stub.GetModel, pb.GetModelRequest(id=model_id))

    def get_lineage(self, model_id: int) -> pb.Lineage:
        """Where a model is from, and what became of it."""
        return self._ask(pb.Lineage, self._stub.GetLineage, pb.GetLineageRequest(model_id=model_id))

    def get_evaluation(self, evaluation_id: int, offset: int = 0, limit: int = 0) -> pb.Evaluation:
        """An evaluation: scores with n and 95 % intervals, the verdict, and its rows from `offset` on (32) as JSON."""
        return self._ask(
            pb.Evaluation,
            self._stub.GetEvaluation,
            pb.GetEvaluationRequest(id=evaluation_id, offset=offset, limit=limit),
        )

    def list_evaluations(self, project: str, offset: int = 0, limit: int = 0) -> list[pb.Evaluation]:
        """The evaluations of a project without their rows, newest first; 100 at a time."""
        request = pb.ListEvaluationsRequest(project=project, offset=offset, limit=limit)
        return list(self._ask(pb.ListEvaluationsReply, self._stub.ListEvaluations, request).evaluations)

    # ---- serving

    def deploy(self, project: str, name: str, model_id: int, context_length: int = 0, slots: int = 0) -> pb.Deployment:
        """Have a GGUF model served under `name`; a name that exists gets the new model."""
        request = pb.DeployRequest(
            project=project, name=name, model_id=model_id, context_length=context_length, slots=slots
        )
        return self._ask(pb.Deployment, self._stub.Deploy, request)

    def get_deployment(self, deployment_id: int) -> pb.Deployment:
        """A deployment as it is now."""
        return self._ask(pb.Deployment, self._stub.GetDeployment, pb.GetDeploymentRequest(id=deployment_id))

    def list_deployments(self, project: str, tag: str = "") -> list[pb.Deployment]:
        """The deployments of a project, by name."""
        request = pb.ListDeploymentsRequest(project=project, tag=tag)
        return list(self._ask(pb.ListDeploymentsReply, self._stub.ListDeployments, request).deployments)

    def wait_deployment(self, deployment_id: int) -> Iterator[pb.Deployment]:
        """Follow a deployment, at each change, until it serves, has failed or is stopped."""
        version = 0
        while True:
            request = pb.WaitDeploymentRequest(id=deployment_id, after_version=version, wait_seconds=HANG)
            deployment = self._ask(pb.Deployment, self._stub.WaitDeployment, request)
            yield deployment
            version = deployment.version
            if deployment.state in ("SERVING", "FAILED", "STOPPED"):
                return

    def stop_deployment(self, deployment_id: int) -> pb.Deployment:
        """Have it served no longer."""
        return self._ask(pb.Deployment, self._stub.StopDeployment, pb.StopDeploymentRequest(id=deployment_id))

    def chat(self, deployment_id: int, messages: Iterable[Mapping[str, str]], **options: Any) -> str:
        """The whole answer to a chat, e.g. `[{"role": "user", "content": "…"}]`.

        `options` are those of an OpenAI chat completion: temperature, max_tokens, response_format …
        """
        body = {"messages": list(messages), "stream": False, **options}
        data = b"".join(self._chat(deployment_id, body))
        return str(json.loads(data)["choices"][0]["message"]["content"] or "")

    def chat_stream(self, deployment_id: int, messages: Iterable[Mapping[str, str]], **options: Any) -> Iterator[str]:
        """The answer piece by piece, as `chat`; closing the iterator ends the generation."""
        body = {"messages": list(messages), "stream": True, **options}
        for line in _lines(self._chat(deployment_id, body)):
            if line.startswith(b"data: {"):
                choices = json.loads(line[6:]).get("choices") or [{}]
                if piece := choices[0].get("delta", {}).get("content"):
                    yield piece

    # ---- things

    def describe_thing(
        self,
        kind: str,
        thing_id: int,
        title: str | None = None,
        description: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> pb.Thing:
        """Give a dataset, model, job, deployment or project a title, a description or tags; what is None stays."""
        said = pb.Tags(tags=tags) if tags is not None else None
        request = pb.DescribeThingRequest(kind=kind, id=thing_id, title=title, description=description, tags=said)
        return self._ask(pb.Thing, self._stub.DescribeThing, request)

    def delete_thing(self, kind: str, thing_id: int) -> pb.Thing:
        """Put a thing into the trash; refused, with who uses it, while something still needs it."""
        return self._ask_once(pb.Thing, self._stub.DeleteThing, pb.DeleteThingRequest(kind=kind, id=thing_id))

    def restore_thing(self, kind: str, thing_id: int) -> pb.Thing:
        """Take a thing out of the trash."""
        return self._ask_once(pb.Thing, self._stub.RestoreThing, pb.RestoreThingRequest(kind=kind, id=thing_id))

    def purge_thing(self, kind: str, thing_id: int) -> None:
        """Delete for good what is in the trash; administrators only."""
        self._ask_once(pb.PurgeThingReply, self._stub.PurgeThing, pb.PurgeThingRequest(kind=kind, id=thing_id))

    def list_trash(self, project: str = "") -> list[pb.Thing]:
        """What is in a project's trash, newest first; without a project, the projects that are in the trash."""
        request = pb.ListTrashRequest(project=project)
        return list(self._ask(pb.ListTrashReply, self._stub.ListTrash, request).things)

    def _chat(self, deployment_id: int, body: Mapping[str, Any]) -> Iterator[bytes]:
        request = pb.ChatRequest(deployment_id=deployment_id, body=json.dumps(body))
        for reply in streamed(lambda: self._stub.Chat(request, metadata=self._metadata)):
            if reply.status >= 400:
                raise CallFailed(reply.data.decode("utf-8", "replace"), "engine_failed", {}, "UNAVAILABLE")
            yield reply.data


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines, without their ends, from pieces that end anywhere."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line.rstrip(b"\r") for line in whole)
    if rest:
        yield rest
