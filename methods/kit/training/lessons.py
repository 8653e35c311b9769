"""From rows to what a model learns from them: token ids, and a label for each token that counts.

An example is ``{"input_ids": [...], "labels": [...]}`` of equal length; a label is the token itself, or -100 where
nothing is learned. The first token of an example is never predicted, so it never counts.
"""

import math
import random
from collections.abc import Iterator
from typing import Any

from kit import datasets
from kit.datasets import Row, encoded, kept
from kit.job import Job

Example = dict[str, list[int]]

COMPLETION, LAST, WHOLE = "completion", "last", "whole"  # what `learn_from` may say
IGNORED = -100
_ENDLESS = 10**9  # tokens: no limit
_BEGINNING = 12  # tokens of a plain text that are given for the model to go on


def of(job: Job, tokenizer: Any) -> tuple[list[Example], list[Example]]:
    """(what is learned from, what is only measured) of a job's dataset, each at most ``max_length`` tokens long.

    What is measured are the first ``held_out_rows`` of the dataset's held-out rows; where it has none,
    ``held_out_percent`` of its other rows are kept from learning instead, drawn by the job's seed.
    """
    given = job.parameters
    rows, measured = _rows(job)
    learn_from = given.get("learn_from", LAST)  # the demos offer neither this nor held_out_percent
    whole = tokenize(measured, tokenizer, _ENDLESS, learn_from)
    held_out = [one for one in whole if len(one["input_ids"]) <= given["max_length"]]
    return tokenize(rows, tokenizer, given["max_length"], learn_from), held_out


def count_steps(job: Job, rows: int) -> int:
    """How many steps a job takes over so many rows: as said, or by rounds through them, as transformers counts."""
    if job.parameters["run_for"] == "steps":
        return int(job.parameters["steps"])
    batches = math.ceil(rows / job.parameters["batch_size"])
    return math.ceil(job.parameters["epochs"] * math.ceil(batches / job.parameters["accumulation"]))


def questions(job: Job, tokenizer: Any) -> list[tuple[str, list[int]]]:
    """(what is asked, its tokens) of the first ``samples`` held-out rows that leave room for an answer."""
    longest = job.parameters["max_length"]
    asked = [_question(row, tokenizer) for row in _rows(job)[1][: job.parameters["samples"]]]
    return [(text, ids) for text, ids in asked if 0 < len(ids) <= longest]


def _question(row: Any, tokenizer: Any) -> tuple[str, list[int]]:
    """Of a plain text its first tokens."""
    if not isinstance(row, str):
        ids = tokenizer(datasets.render_prompt(row, tokenizer), add_special_tokens=False)["input_ids"]
        return row.prompt[-1]["content"], ids
    ids = tokenizer(row)["input_ids"][:_BEGINNING]
    return tokenizer.decode(ids, skip_special_tokens=True), ids


def _rows(job: Job) -> tuple[list[Any], list[Any]]:
    """(rows to learn from, rows to measure by) of a job's dataset."""
    dataset, given = job.datasets["dataset"], job.parameters
    rows = read(dataset.train, dataset.format, "train")
    if dataset.test is None:
        rows, apart = split(rows, given.get("held_out_percent", 0), job.seed)
        return rows, apart[: given["held_out_rows"]]
    wanted = given["held_out_rows"]
    return rows, read(dataset.test, dataset.format, "test")[:wanted] if wanted else []


def read(path: Any, format_: str, part: str) -> list[Any]:
    """Read a file of one of ``datasets.READERS``, ``chat_with_tools`` (Row) or ``text`` (str); refuses as ``parse``."""
    return datasets.parse(
        path, format_, part, {**datasets.READERS, "chat_with_tools": datasets.with_tools, "text": _text}
    )


def split(rows: list[Any], percent: float, seed: int) -> tuple[list[Any], list[Any]]:
    """(the rest, so many per cent) of rows, at least one of each where any are wanted and there are two; in order."""
    if percent <= 0 or len(rows) < 2:
        return rows, []
    count = min(len(rows) - 1, max(1, round(len(rows) * percent / 100)))
    apart = set(random.Random(seed).sample(range(len(rows)), count))
    parts: tuple[list[Any], list[Any]] = ([], [])
    for number, row in enumerate(rows):
        parts[number in apart].append(row)
    return parts


def tokenize(rows: list[Any], tokenizer: Any, max_length: int, learn_from: str) -> list[Example]:
    """Examples of rows, at most ``max_length`` tokens each.

    Of a conversation every answer of the assistant counts (``completion``), the last one (``last``), or everything
    that is said (``whole``); of a plain text always everything. A conversation that is too long loses its beginning,
    never its last answer (refuses with ``dataset_answer_too_long``, naming the row); a text is cut into pieces.
    """
    if rows and isinstance(rows[0], str):
        return [piece for row in rows for piece in _pieces(row, tokenizer, max_length)]
    if learn_from == COMPLETION:
        turns = [list(_turns(row, tokenizer)) for row in rows]
        return [_cut(number, turn, max_length) for number, found in enumerate(turns, 1) for turn in found]
    pairs = enumerate(encoded(rows, tokenizer), 1)
    from_start = learn_from == WHOLE
    return [_cut(number, [(prompt, from_start), (answer, True)], max_length) for number, (prompt, answer) in pairs]


def _text(raw: dict[str, Any]) -> str:
    found = datasets.text(raw, "text")
    if not found.strip():
        raise ValueError("the text is empty")
    return found


Parts = list[tuple[list[int], bool]]  # (tokens, whether they count), one after the other


def _turns(row: Row, tokenizer: Any) -> Iterator[Parts]:
    """What is learned from a conversation in which each answer counts: one piece of text, as a rule.

    Some templates rewrite what was said before (they drop an earlier answer's reasoning, say): then each answer is a
    piece of its own behind what the model would really see.
    """
    answers = [n for n, one in enumerate(row.prompt) if one["role"] == "assistant" and n > 0]
    said = [row.prompt[n] for n in answers]
    rows = [
        Row(row.prompt[:n], one["content"], row.tools, one.get("tool_calls"))
        for n, one in zip(answers, said, strict=True)
    ] + [row]
    texts = [(datasets.render_prompt(one, tokenizer), datasets.render_completion(one, tokenizer)) for one in rows]
    done, parts = "", list[tuple[str, bool]]()
    for prompt, answer in texts:
        if not prompt.startswith(done):
            yield from (_encoded([(before, False), (said, True)], tokenizer) for before, said in texts)
            return
        parts += [(prompt[len(done) :], False), (answer, True)]
        done = prompt + answer
    yield _encoded(parts, tokenizer)


def _encoded(parts: list[tuple[str, bool]], tokenizer: Any) -> Parts:
    ids = tokenizer([text for text, _ in parts], add_special_tokens=False)["input_ids"]
    return [(tokens, counts) for tokens, (_, counts) in zip(ids, parts, strict=True)]


def _cut(number: int, parts: Parts, max_length: int) -> Example:
    """One example of its parts, without as much of its beginning as is too long."""
    answer = parts[-1][0]
    before = [token for tokens, _ in parts[:-1] for token in tokens]
    labels = [token if counts else IGNORED for tokens, counts in parts[:-1] for token in tokens]
    begin = kept(number, before, len(answer), max_length)
    labels = labels[len(before) - len(begin) :] + answer
    return {"input_ids": begin + answer, "labels": [IGNORED, *labels[1:]]}


def _pieces(text: str, tokenizer: Any, max_length: int) -> Iterator[Example]:
    """A text from its first token to the one that ends it, in pieces that are long enough to predict something."""
    ids = tokenizer(text)["input_ids"]
    if tokenizer.eos_token_id is not None and ids[-1:] != [tokenizer.eos_token_id]:
        ids = [*ids, tokenizer.eos_token_id]
    for start in range(0, len(ids), max_length):
        piece = ids[start : start + max_length]
        if len(piece) > 1:
            yield {"input_ids": piece, "labels": [IGNORED, *piece[1:]]}
