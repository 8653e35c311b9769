"""An event as Slack and Microsoft Teams take it, from the JSON that tells it.

Names that people chose stand in it as they are: nothing of them becomes a mention, a link or a format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def for_slack(told: Mapping[str, Any], more: str) -> dict[str, Any]:
    """The body of an incoming webhook. `more` is the word for the link to the page."""
    text = _escaped(told["text"])
    return {
        "text": text,
        "blocks": [
            {"type": "section", "text": {"type": "plain_text", "text": told["text"], "emoji": False}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": f"{_place(told)}<{told['url']}|{more}>"}]},
        ],
    }


def for_teams(told: Mapping[str, Any], more: str) -> dict[str, Any]:
    """A message with an Adaptive Card, as a workflow of Teams takes it for a channel."""
    project = told["project"]
    lines = [told["text"], *([project["title"]] if project else [])]
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": {
                    "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                    "type": "AdaptiveCard",
                    "version": "1.4",
                    # a TextBlock would read Markdown in it, a TextRun does not
                    "body": [
                        {
                            "type": "RichTextBlock",
                            "inlines": [{"type": "TextRun", "text": line, "weight": weight}],
                        }
                        for line, weight in zip(lines, ("Bolder", "Default"), strict=False)
                    ],
                    "actions": [{"type": "Action.OpenUrl", "title": more, "url": told["url"]}],
                },
            }
        ],
    }


def _place(told: Mapping[str, Any]) -> str:
    return f"{_escaped(told['project']['title'])} · " if told["project"] else ""


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
