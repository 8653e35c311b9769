"""The client's calls about prompts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tunesmith.calls import Calls
from tunesmith.v1 import automation_pb2 as pb


class Prompts(Calls):
    """What a client can do with prompts: what is said to a model before the question."""

    def save_prompt(self, project: str, name: str, content: Mapping[str, Any], base_version: int = 0) -> pb.Prompt:
        """Keep what is said before the question as the newest version of a prompt, unless that says the same.

        `content` is `{"system": "…", "examples": [{"prompt": "…", "completion": "…"}], "decoding": {"temperature": 0,
        "max_tokens": 200}}`, each of them optional. With `base_version`, refuse where there is a newer one by now.
        """
        said = json.dumps(dict(content), ensure_ascii=False)
        request = pb.SavePromptRequest(project=project, name=name, content=said, base_version=base_version)
        return self._ask(pb.Prompt, self._stub.SavePrompt, request)

    def set_deployment_prompt(
        self, deployment_id: int, prompt: str = "", schema: Mapping[str, Any] | None = None
    ) -> pb.Deployment:
        """Have a deployment carry a version of a prompt, `name` or `name@3`, and a JSON Schema; none where left out.

        Callers ask for them by the model's name: `project/deployment+prompt+schema`; `chat` with `model="+prompt"`.
        """
        said = json.dumps(dict(schema), ensure_ascii=False) if schema else ""
        request = pb.SetDeploymentPromptRequest(id=deployment_id, prompt=prompt, schema=said)
        return self._ask(pb.Deployment, self._stub.SetDeploymentPrompt, request)

    def list_prompts(self, project: str, tag: str = "") -> list[pb.Prompt]:
        """The prompts of a project, each as its newest version, by name."""
        request = pb.ListPromptsRequest(project=project, tag=tag)
        return list(self._ask(pb.ListPromptsReply, self._stub.ListPrompts, request).prompts)

    def get_prompt(self, project: str, prompt: str) -> pb.Prompt:
        """A version of a prompt, by `name` or `name@3`."""
        request = pb.GetPromptRequest(project=project, prompt=prompt)
        return self._ask(pb.Prompt, self._stub.GetPrompt, request)

    def list_prompt_versions(self, project: str, prompt: str) -> list[pb.Prompt]:
        """The versions of a prompt, the newest first."""
        request = pb.ListPromptVersionsRequest(project=project, prompt=prompt)
        return list(self._ask(pb.ListPromptsReply, self._stub.ListPromptVersions, request).prompts)
