"""What is learned from rows, in which order, and which state is kept: without a model."""

import json
from pathlib import Path
from typing import Any

import pytest
from kit.datasets import Row
from kit.events import Refusal
from kit.training import lessons, packed
from kit.training.by_length import ByLength

OTHER = lessons.IGNORED


class Letters:
    """A tokenizer whose tokens are letters: a turn is <role: content>."""

    chat_template = "yes"
    eos_token, eos_token_id, bos_token = "$", ord("$"), None

    def __init__(self, forgets: bool = False) -> None:
        self.forgets = forgets  # what earlier answers were, as templates of reasoning models do

    def __call__(self, text: str | list[str], **_: Any) -> dict[str, Any]:
        if isinstance(text, str):
            return {"input_ids": [ord(one) for one in text]}
        return {"input_ids": [[ord(one) for one in part] for part in text]}

    def apply_chat_template(self, messages: list[dict[str, str]], add_generation_prompt: bool = False, **_: Any) -> str:
        last = len(messages) - 1
        told = [
            "<a>" if self.forgets and one["role"] == "assistant" and n < last else f"<{one['role'][0]}{one['content']}>"
            for n, one in enumerate(messages)
        ]
        return "".join(told) + ("<a" if add_generation_prompt else "")


TALK = Row(
    [{"role": "user", "content": "1"}, {"role": "assistant", "content": "2"}, {"role": "user", "content": "3"}], "4"
)


def told(example: dict[str, list[int]]) -> tuple[str, str]:
    """(all tokens, those that count with · for the others) as text."""
    counted = "".join("·" if one == OTHER else chr(one) for one in example["labels"])
    return "".join(map(chr, example["input_ids"])), counted


@pytest.mark.parametrize(("learn_from", "counted"), [
    ("completion", "······2>······4>"), ("last", "··············4>"), ("whole", "·u1><a2><u3><a4>"),
])  # fmt: skip
def test_of_a_conversation_counts_what_was_asked_for(learn_from: str, counted: str) -> None:
    (example,) = lessons.tokenize([TALK], Letters(), 100, learn_from)
    assert told(example) == ("<u1><a2><u3><a4>", counted)


def test_a_template_that_rewrites_earlier_answers_gives_one_example_an_answer() -> None:
    found = [told(one) for one in lessons.tokenize([TALK], Letters(forgets=True), 100, "completion")]
    assert found == [("<u1><a2>", "······2>"), ("<u1><a><u3><a4>", "·············4>")]


def test_what_is_too_long_loses_its_beginning_and_never_its_last_answer() -> None:
    (example,) = lessons.tokenize([TALK], Letters(), 12, "completion")
    assert told(example) == ("a2><u3><a4>"[-12:].rjust(12, "<"), "··2>······4>")
    with pytest.raises(Refusal) as refused:
        lessons.tokenize([Row(TALK.prompt, "x" * 20)], Letters(), 12, "completion")
    assert refused.value.code == "dataset_answer_too_long"


def test_a_text_is_learned_whole_in_pieces() -> None:
    found = [told(one) for one in lessons.tokenize(["abcdefgh"], Letters(), 4, "completion")]
    assert found == [("abcd", "·bcd"), ("efgh", "·fgh")]  # the sign of the end alone predicts nothing
    assert [told(one)[0] for one in lessons.tokenize(["abcdefg"], Letters(), 4, "last")] == ["abcd", "efg$"]


def test_texts_are_read_and_an_empty_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"text": "one"}) + "\n")
    assert lessons.read(path, "text", "train") == ["one"]
    path.write_text(json.dumps({"text": " "}) + "\n")
    with pytest.raises(Refusal) as refused:
        lessons.read(path, "text", "train")
    assert refused.value.code == "dataset_row_invalid"


def test_a_share_of_the_rows_is_kept_apart_by_the_seed() -> None:
    rows = list(range(40))
    learned, apart = lessons.split(rows, 10, seed=1)
    assert len(apart) == 4 and sorted(learned + apart) == rows and learned == sorted(learned)
    assert lessons.split(rows, 10, seed=1) == (learned, apart) != lessons.split(rows, 10, seed=2)
    assert lessons.split(rows, 0, seed=1) == (rows, [])
    assert [len(part) for part in lessons.split([1, 2], 1, seed=1)] == [1, 1]


def test_packed_rows_are_full_and_lose_nothing() -> None:
    examples = [{"input_ids": [n] * n, "labels": [OTHER] + [n] * (n - 1)} for n in (3, 5, 2, 4, 6, 1)]
    rows = packed.pack(examples, 8)
    assert sorted(size for row in rows for size in row["seq_lengths"]) == [1, 2, 3, 4, 5, 6]
    assert [len(row["input_ids"]) for row in rows] == [8, 8, 5] and len(rows[0]["labels"]) == 8
    assert rows[0]["seq_lengths"] == [6, 2] and rows[0]["labels"][6] == OTHER


def test_batches_are_of_like_length_and_their_order_is_found_again() -> None:
    lengths = [(7 * n) % 100 for n in range(200)]
    order = ByLength(lengths, 8, seed=3)
    first = list(order)
    assert sorted(first) == list(range(200)) == sorted(range(len(order)))
    batches = [[lengths[one] for one in first[at : at + 8]] for at in range(0, 200, 8)]
    assert sum(max(one) * len(one) for one in batches) < 1.1 * sum(lengths)
    assert [one[0] for one in batches] != sorted(one[0] for one in batches)
    order.set_epoch(1)
    assert list(order) != first
    order.set_epoch(0)
    assert list(order) == first == list(ByLength(lengths, 8, seed=3))
    assert sorted(ByLength(lengths[:13], 8, seed=3)) == list(range(13))
