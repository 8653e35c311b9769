"""A model's tokenizer and chat template: what text a row becomes, and which tokens.

The same steps as a training takes (`methods/kit/datasets.py`): the prompt by itself up to where the answer begins, then
the answer with the template's end of turn. Without a template, messages stand line by line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Encoding, Tokenizer

from control_plane.domain.errors import (
    ChatTemplateEndless,
    ChatTemplateFailed,
    ChatTemplateWithoutTools,
    TokenizerUnreadable,
)
from control_plane.domain.rows import PREFERENCE, SCHEMA, TOOLS
from control_plane.preparation.templates import ChatTemplate, Message

_LARGEST = 64 << 20  # bytes of a tokenizer's file
_SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token")


@dataclass(frozen=True)
class Token:
    """One token and the text that it stands for; empty where it goes on with the sign of the one before."""

    id: int
    text: str
    is_special: bool = False  # a sign of the tokenizer's own
    before: str = ""  # text that no token stands for
    after: str = ""  # likewise, at the end


@dataclass(frozen=True)
class Conversation:
    """A row as messages: what comes before the answer, and the answer."""

    prompt: Sequence[Message]
    answer: Message
    tools: Sequence[Any] | None = None  # what the model may call; None: the row says nothing of any


class Tokens:
    """The tokenizer and the chat template in a model's folder. Raises TokenizerUnreadable, ChatTemplateFailed."""

    def __init__(self, folder: Path, format: str) -> None:
        self.format = format
        self._tokenizer = _tokenizer(folder / "tokenizer.json")
        self._own = {number for number, one in self._tokenizer.get_added_tokens_decoder().items() if one.special}
        settings = _settings(folder / "special_tokens_map.json") | _settings(folder / "tokenizer_config.json")
        self._special = {name: _text(settings.get(name)) for name in _SPECIAL if _text(settings.get(name))}
        if "eos_token" in self._special:
            self._special.setdefault("pad_token", self._special["eos_token"])  # as training does
        source = _template(folder, settings, "tool_use" if format == TOOLS else "default")
        self._template = ChatTemplate(source, self._special) if source else None

    @property
    def has_template(self) -> bool:
        return self._template is not None

    def encode(self, text: str) -> list[Token]:
        """The tokens of a text, by themselves."""
        return self._tokens(text, self._tokenizer.encode(text, add_special_tokens=False))

    def whole(self, text: str) -> list[Token]:
        """The tokens of a text that stands alone: with the tokenizer's own signs around it, and the end of text."""
        found = self._tokens(text, self._tokenizer.encode(text))
        end = self._special.get("eos_token", "")
        number = self._tokenizer.token_to_id(end) if end else None
        if number is None or (found and found[-1].id == number):
            return found
        return [*found, Token(number, end, is_special=True)]

    def count(self, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """The tokens of each row; of one that the template refuses, those of its texts."""
        texts = [text for row in rows for text in self._texts_somehow(row)]
        counts = [len(one.ids) for one in self._tokenizer.encode_batch(texts, add_special_tokens=False)]
        return [counts[2 * number] + counts[2 * number + 1] for number in range(len(rows))]

    def texts(self, row: Conversation) -> tuple[str, str]:
        """What comes before the answer, and the answer. Raises ChatTemplateFailed and its kinds."""
        if self._template is None:
            _refuse_tools(row, "")
            return self._plain(row)
        before = self._template.text(row.prompt, True, row.tools)
        whole = self._template.text([*row.prompt, row.answer], False, row.tools)
        _refuse_tools(row, whole)
        if whole.startswith(before):
            return before, whole[len(before) :].rstrip("\n")
        _refuse_tools(row, "")
        return before, row.answer["content"] + self._special.get("eos_token", "")

    def _plain(self, row: Conversation) -> tuple[str, str]:
        bos = self._special.get("bos_token", "")
        begins = bool(bos) and self._tokenizer.encode("").tokens == [bos]
        text = "\n".join(message["content"] for message in row.prompt) + "\n"
        return (bos if begins else "") + text, row.answer["content"] + self._special.get("eos_token", "")

    def _texts_somehow(self, row: Mapping[str, Any]) -> tuple[str, str]:
        if self.format == "text":
            return "", row["text"] + self._special.get("eos_token", "")
        told = conversation(self.format, row)
        try:
            return self.texts(told)
        except ChatTemplateEndless:
            self._template = None  # a million rows would wait for it again and again
        except ChatTemplateFailed:
            pass
        return self._plain(told)

    def _tokens(self, text: str, encoding: Encoding) -> list[Token]:
        """Each token with its part of the text; those that the tokenizer puts around it show their names."""
        found: list[Token] = []
        end = 0
        around = encoding.special_tokens_mask  # the tokenizer has put them there
        for at, (number, (begin, stop)) in enumerate(zip(encoding.ids, encoding.offsets, strict=True)):
            if around[at]:
                found.append(Token(number, encoding.tokens[at], is_special=True))
                continue
            part, between = text[max(begin, end) : stop], text[end : max(begin, end)]
            found.append(Token(number, part, number in self._own, between))
            end = max(end, stop)
        if end < len(text) and found:
            found[-1] = Token(found[-1].id, found[-1].text, found[-1].is_special, found[-1].before, text[end:])
        return found


def conversation(format: str, row: Mapping[str, Any], answer: str = "") -> Conversation:
    """The row as messages. Of compared answers, the one of the field `answer` is taken, else the longer one."""
    if format in ("chat", TOOLS):
        return Conversation(row["messages"][:-1], row["messages"][-1], row.get("tools") if format == TOOLS else None)
    prompt = row["prompt"]
    messages = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    if format == SCHEMA:
        return Conversation(messages, {"role": "assistant", "content": ""})
    if format == PREFERENCE:
        said = row[answer] if answer else max(row["chosen"], row["rejected"], key=len)
    else:
        said = row["completion"]
    return Conversation(messages, {"role": "assistant", "content": said})


def _refuse_tools(row: Conversation, told: str) -> None:
    """A template that knows nothing of tools leaves them out without a word: then their names are missing."""
    functions = [one["function"] for one in row.tools or ()]
    functions += [call["function"] for said in (*row.prompt, row.answer) for call in said.get("tool_calls") or ()]
    missing = next((str(one["name"]) for one in functions if str(one["name"]) not in told), None)
    if missing is not None:
        raise ChatTemplateWithoutTools(tool=missing)


def _tokenizer(path: Path) -> Tokenizer:
    try:
        if path.stat().st_size > _LARGEST:
            raise TokenizerUnreadable
        return Tokenizer.from_file(str(path))
    except (OSError, ValueError, TokenizerUnreadable) as problem:
        raise TokenizerUnreadable from problem
    except Exception as problem:  # the library raises Exception itself
        if type(problem) is not Exception:
            raise
        raise TokenizerUnreadable from problem


def _settings(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_bytes()) if path.exists() else {}
    except ValueError as problem:
        raise TokenizerUnreadable from problem
    return settings if isinstance(settings, dict) else {}


def _template(folder: Path, settings: Mapping[str, Any], wanted: str) -> str:
    """The chat template: a file of its own, or in the settings, where it can be one of several."""
    file = folder / "chat_template.jinja"
    if file.exists():
        return file.read_text(encoding="utf-8", errors="replace")
    given = settings.get("chat_template")
    if isinstance(given, list):
        named = {one.get("name"): one.get("template") for one in given if isinstance(one, dict)}
        given = named.get(wanted, named.get("default", ""))
    return given if isinstance(given, str) else ""


def _text(token: Any) -> str:
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else ""
