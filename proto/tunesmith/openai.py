"""The OpenAI-compatible endpoint, asked with nothing but the standard library."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

from tunesmith.connection import CallFailed

_SECONDS = 300.0


def complete(web_url: str, token: str, model: str, prompt: str, max_tokens: int = 128) -> str:
    """The answer to one question, as likely as can be (temperature 0). Raises CallFailed.

    `model` is "project/deployment", `web_url` the dashboard's address, `token` an API token.
    """
    body = {
        "model": model,
        "messages": [{"role": "user", "content": prompt}],
        "temperature": 0,
        "max_tokens": max_tokens,
    }
    request = urllib.request.Request(
        f"{web_url}/v1/chat/completions",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as reply:
            return str(json.load(reply)["choices"][0]["message"]["content"] or "")
    except urllib.error.HTTPError as problem:
        error = _error(problem.read())
        raise CallFailed(
            error.get("message") or str(problem), error.get("code") or "", {}, str(problem.code)
        ) from problem
    except urllib.error.URLError as problem:
        raise CallFailed(f"{web_url}: {problem.reason}", "", {}, "UNAVAILABLE") from problem


def _error(body: bytes) -> dict[str, str]:
    try:
        content = json.loads(body)
    except ValueError:
        return {}
    error = content.get("error") if isinstance(content, dict) else None
    return error if isinstance(error, dict) else {}
