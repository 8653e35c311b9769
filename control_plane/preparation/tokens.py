"""A row as the model sees it: its text by the chat template, its tokens, and which of them it learns.

The same steps as a training takes (`methods/kit/datasets.py`): the prompt by itself up to where the answer begins, then
the answer with the template's end of turn. Without a template, messages stand line by line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Encoding, Tokenizer

from control_plane.domain.errors import ChatTemplateEndless, ChatTemplateFailed, TokenizerUnreadable
from control_plane.domain.preparation import Piece, Seen
from control_plane.domain.rows import PREFERENCE
from control_plane.preparation.templates import ChatTemplate

_LARGEST = 64 << 20  # bytes of a tokenizer's file
_SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token", "sep_token", "cls_token", "mask_token")


class Tokens:
    """The tokenizer and the chat template in a model's folder. Raises TokenizerUnreadable, ChatTemplateFailed."""

    def __init__(self, folder: Path, format: str) -> None:
        self._format = format
        self._tokenizer = _tokenizer(folder / "tokenizer.json")
        settings = _settings(folder / "tokenizer_config.json")
        self._special = {name: _text(settings.get(name)) for name in _SPECIAL if _text(settings.get(name))}
        source = _template(folder, settings)
        self._template = ChatTemplate(source, self._special) if source else None

    def see(self, row: Mapping[str, Any]) -> Seen:
        """The row, token by token. Raises ChatTemplateFailed, ChatTemplateEndless."""
        prompt, answer = self.texts(row)
        asked, learned = (self._tokenizer.encode(text, add_special_tokens=False) for text in (prompt, answer))
        pieces = [*_pieces(prompt, asked, False), *_pieces(answer, learned, True)]
        return Seen(pieces, len(asked.ids), len(learned.ids), by_template=self._template is not None)

    def count(self, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """The tokens of each row; of one that the template refuses, those of its texts."""
        texts = [text for row in rows for text in self._texts_somehow(row)]
        counts = [len(one.ids) for one in self._tokenizer.encode_batch(texts, add_special_tokens=False)]
        return [counts[2 * number] + counts[2 * number + 1] for number in range(len(rows))]

    def texts(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """What comes before the answer, and the answer. Raises ChatTemplateFailed, ChatTemplateEndless."""
        if self._format == "text":
            return "", row["text"] + self._special.get("eos_token", "")
        prompt, answer = _conversation(self._format, row)
        if self._template is None:
            return self._plain(prompt, answer)
        before = self._template.text(prompt, asks=True)
        whole = self._template.text([*prompt, {"role": "assistant", "content": answer}], asks=False)
        if whole.startswith(before):
            return before, whole[len(before) :].rstrip("\n")
        return before, answer + self._special.get("eos_token", "")

    def _plain(self, prompt: Sequence[Mapping[str, Any]], answer: str) -> tuple[str, str]:
        bos = self._special.get("bos_token", "")
        begins = bool(bos) and self._tokenizer.encode("").tokens == [bos]
        text = "\n".join(message["content"] for message in prompt) + "\n"
        return (bos if begins else "") + text, answer + self._special.get("eos_token", "")

    def _texts_somehow(self, row: Mapping[str, Any]) -> tuple[str, str]:
        try:
            return self.texts(row)
        except ChatTemplateEndless:
            self._template = None  # a million rows would wait for it again and again
        except ChatTemplateFailed:
            pass
        return self._plain(*_conversation(self._format, row))


def _conversation(format: str, row: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], str]:
    """The messages before the answer, and the answer."""
    if format == "chat":
        return row["messages"][:-1], row["messages"][-1]["content"]
    prompt = row["prompt"]
    messages = prompt if isinstance(prompt, list) else [{"role": "user", "content": prompt}]
    return messages, row["chosen" if format == PREFERENCE else "completion"]


def _pieces(text: str, encoding: Encoding, is_learned: bool) -> list[Piece]:
    """The text cut where tokens begin. Several tokens can make one sign; what no token stands for has none."""
    found: list[Piece] = []
    end = 0
    for number, (begin, stop) in zip(encoding.ids, encoding.offsets, strict=True):
        if found and begin < end:
            last = found[-1]
            found[-1] = Piece(last.text + text[end:stop], [*last.ids, number], is_learned)
        else:
            if begin > end:
                found.append(Piece(text[end:begin], [], is_learned))
            found.append(Piece(text[begin:stop], [number], is_learned))
        end = max(end, stop)
    return [*found, Piece(text[end:], [], is_learned)] if end < len(text) else found


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


def _settings(path: Path) -> Mapping[str, Any]:
    try:
        settings = json.loads(path.read_bytes()) if path.exists() else {}
    except ValueError as problem:
        raise TokenizerUnreadable from problem
    return settings if isinstance(settings, dict) else {}


def _template(folder: Path, settings: Mapping[str, Any]) -> str:
    """The chat template: a file of its own, or in the settings, where it can be one of several."""
    file = folder / "chat_template.jinja"
    if file.exists():
        return file.read_text(encoding="utf-8", errors="replace")
    given = settings.get("chat_template")
    if isinstance(given, list):
        given = next(
            (one.get("template") for one in given if isinstance(one, dict) and one.get("name") == "default"), ""
        )
    return given if isinstance(given, str) else ""


def _text(token: Any) -> str:
    token = token.get("content") if isinstance(token, dict) else token
    return token if isinstance(token, str) else ""
