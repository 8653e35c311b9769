"""A prompt as plain data, and what a model is asked with it: the same that deployments are asked, word for word.

{"system": "…", "examples": [{"prompt": "…", "completion": "…"}], "decoding": {"temperature": 0.0, "max_tokens": 64}}
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kit.datasets import Message


def messages(prompt: Mapping[str, Any], conversation: Sequence[Message]) -> list[Message]:
    """The system text, the examples as turns that have been, then the conversation.

    A system text that the conversation begins with follows the prompt's in one message: many templates take only one.
    """
    asked = [dict(message) for message in conversation]
    system = [prompt["system"]] if prompt.get("system") else []
    if asked and asked[0].get("role") == "system" and isinstance(asked[0].get("content"), str):
        system.append(asked.pop(0)["content"])
    begun: list[Message] = [{"role": "system", "content": "\n\n".join(system)}] if system else []
    for one in prompt.get("examples", ()):
        begun.append({"role": "user", "content": one["prompt"]})
        begun.append({"role": "assistant", "content": one["completion"]})
    return begun + asked
