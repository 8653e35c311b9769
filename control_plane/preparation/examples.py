"""What training reads and learns of one row: the same steps as `methods/kit/training/lessons.py` and `preferences.py`.

A test holds both against each other. The first token of an example is never predicted, so it is never learned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from control_plane.domain.preparation import Example, Learning, Piece, Seen
from control_plane.domain.rows import PREFERENCE, SCHEMA, TOOLS
from control_plane.preparation.tokens import Conversation, Token, Tokens, conversation

TEXT = "text"

_LEARNED_FROM = (
    "chat",
    TOOLS,
    "prompt_completion",
)  # token by token, without the first; of the others answers are compared
_SHOWN = 1_000  # pieces at either end of an example
_LONGEST = 500  # characters of a piece
_MOST = 20  # examples


@dataclass(frozen=True)
class _Part:
    """Tokens that follow each other and are learned or not."""

    tokens: list[Token]
    is_learned: bool


def seen(tokens: Tokens, row: Mapping[str, Any], learn_from: Learning = Learning.COMPLETION, limit: int = 0) -> Seen:
    """The row as training reads it, of at most `limit` tokens (0: any). Raises ChatTemplateFailed and its kind."""
    if tokens.format == TEXT:
        found = list(_texts(tokens.whole(row["text"]), limit))
    else:
        found = list(_examples(tokens, row, learn_from, limit))
    return Seen([_shortened(one) for one in found[:_MOST]], tokens.has_template, max(0, len(found) - _MOST))


def _examples(tokens: Tokens, row: Mapping[str, Any], learn_from: Learning, limit: int) -> Iterator[Example]:
    if tokens.format == PREFERENCE:
        answers = {name: conversation(tokens.format, row, name) for name in ("chosen", "rejected")}
        pairs = {name: [tokens.encode(text) for text in tokens.texts(one)] for name, one in answers.items()}
        longest = max(len(answer) for _, answer in pairs.values())
        for name, (prompt, answer) in pairs.items():  # both lose as much of their prompt as the longer one must
            yield _example([_Part(prompt, False), _Part(answer, True)], limit, name, longest)
        return
    asked = conversation(tokens.format, row)
    if tokens.format == SCHEMA:  # the model writes the answer itself: it only reads what is asked
        yield _example([_Part(tokens.encode(tokens.texts(asked)[0]), False), _Part([], False)], limit)
        return
    if tokens.format not in _LEARNED_FROM:
        prompt, answer = (tokens.encode(text) for text in tokens.texts(asked))
        yield _example([_Part(prompt, False), _Part(answer, True)], limit)
        return
    if learn_from == Learning.COMPLETION:
        ways = _turns(tokens, asked)
    else:
        prompt, answer = (tokens.encode(text) for text in tokens.texts(asked))
        ways = iter([[_Part(prompt, learn_from == Learning.WHOLE), _Part(answer, True)]])
    yield from (_unpredicted(_example(parts, limit)) for parts in ways)


def _turns(tokens: Tokens, row: Conversation) -> Iterator[list[_Part]]:
    """Each answer is learned: all in one example, or, where the template rewrites what was said, each in its own."""
    answers = [n for n, one in enumerate(row.prompt) if one["role"] == "assistant" and n > 0]
    rows = [replace(row, prompt=row.prompt[:n], answer=row.prompt[n]) for n in answers] + [row]
    texts = [tokens.texts(one) for one in rows]
    done, parts = "", list[tuple[str, bool]]()
    for prompt, answer in texts:
        if not prompt.startswith(done):
            for before, said in texts:
                yield [_Part(tokens.encode(before), False), _Part(tokens.encode(said), True)]
            return
        parts += [(prompt[len(done) :], False), (answer, True)]
        done = prompt + answer
    yield [_Part(tokens.encode(text), is_learned) for text, is_learned in parts]


def _example(parts: Sequence[_Part], limit: int, answer: str = "", longest: int = 0) -> Example:
    """One example of its parts: the last one stays whole, what is too long loses its beginning."""
    before = [(token, part.is_learned) for part in parts[:-1] for token in part.tokens]
    last = parts[-1].tokens
    longest = max(longest, len(last))
    is_refused = bool(limit) and longest >= limit
    cut = max(0, len(before) + longest - limit) if limit and not is_refused else 0
    marked = [(token, is_learned and number >= cut, number < cut) for number, (token, is_learned) in enumerate(before)]
    pieces = [*_pieces(marked), *_pieces([(token, True, False) for token in last])]
    learned = sum(is_learned for _, is_learned in before[cut:]) + len(last)
    return Example(pieces, len(before) - cut + len(last), learned, cut, answer=answer, is_refused=is_refused)


def _texts(tokens: list[Token], limit: int) -> Iterator[Example]:
    """A text in pieces that are long enough to predict something."""
    size = limit or len(tokens)
    for start in range(0, len(tokens), max(1, size)):
        piece = tokens[start : start + size]
        if len(piece) > 1:
            yield _unpredicted(Example(_pieces([(token, True, False) for token in piece]), len(piece), len(piece)))


def _unpredicted(example: Example) -> Example:
    """The same without learning the first token that is read."""
    at = next((n for n, one in enumerate(example.pieces) if one.ids and not one.is_cut), None)
    if at is None or not example.pieces[at].is_learned:
        return example
    first = example.pieces[at]
    begins = replace(first, ids=first.ids[:1], is_learned=False)
    rest = [replace(first, text="", ids=first.ids[1:])] if len(first.ids) > 1 else []
    pieces = [*example.pieces[:at], begins, *rest, *example.pieces[at + 1 :]]
    return replace(example, pieces=pieces, learned_tokens=example.learned_tokens - 1)


def _pieces(marked: Sequence[tuple[Token, bool, bool]]) -> list[Piece]:
    """Tokens with (whether they are learned, whether they are cut); those that make one sign together are one piece."""
    found: list[Piece] = []
    for (is_learned, is_cut), some in groupby(marked, key=lambda one: one[1:]):
        for token, _, _ in some:
            joins = token.text == "" and bool(found) and found[-1].is_learned == is_learned
            if joins and found[-1].is_cut == is_cut and found[-1].ids and not token.is_special:
                found[-1] = replace(found[-1], ids=[*found[-1].ids, token.id])
                continue
            if token.before:
                found.append(Piece(token.before, [], is_learned, is_cut=is_cut))
            found.append(Piece(token.text, [token.id], is_learned, token.is_special, is_cut))
            if token.after:
                found.append(Piece(token.after, [], is_learned, is_cut=is_cut))
    return found


def _shortened(example: Example) -> Example:
    pieces, hidden = example.pieces, max(0, len(example.pieces) - 2 * _SHOWN)
    if hidden:
        pieces = [*pieces[:_SHOWN], *pieces[-_SHOWN:]]
    pieces = [one if len(one.text) <= _LONGEST else replace(one, text=one.text[: _LONGEST - 1] + "…") for one in pieces]
    return replace(example, pieces=pieces, hidden_after=_SHOWN if hidden else 0, hidden_pieces=hidden)
