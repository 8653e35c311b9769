"""Markdown that somebody else wrote, as HTML that cannot do anything: no scripts, no images, no forms, no styles."""

from __future__ import annotations

import re

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_READER = MarkdownIt("commonmark", {"html": False}).enable("table")
_TAGS = {
    "p", "h3", "h4", "h5", "ul", "ol", "li", "code", "pre", "em", "strong", "blockquote", "a", "hr", "br", "table",
    "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_LONGEST = 65_536  # characters that are shown; each reader of a page waits for them to be read
_HEADING = re.compile(r"<(/?)h([1-6])>")


def rendered(text: str) -> Markup:
    """The text as HTML for a card whose own heading is an h2: its headings are h3 to h5."""
    lowered = _HEADING.sub(
        lambda found: f"<{found[1]}h{min(5, max(3, int(found[2]) + 1))}>", _READER.render(text[:_LONGEST])
    )
    return Markup(nh3.clean(lowered, tags=_TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https"}))
