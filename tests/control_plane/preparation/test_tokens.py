"""A row as the model sees it, and chat templates that mean no good."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import control_plane
from control_plane.domain.errors import ChatTemplateEndless, ChatTemplateFailed, TokenizerUnreadable
from control_plane.domain.preparation import Limits, Mapping, Order, Seen, Source, Split, Step, read, told
from control_plane.preparation import examples, templates
from control_plane.preparation.templates import ChatTemplate
from control_plane.preparation.tokens import Tokens

MODEL = Path(control_plane.__file__).parent / "dry_run_model"
ROW = {"prompt": "Was ist kaputt? 👋", "completion": "Die Pumpe. 泵坏了。"}


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A model without a chat template."""
    shutil.copy(MODEL / "tokenizer.json", tmp_path)
    shutil.copy(MODEL / "tokenizer_config.json", tmp_path)
    return tmp_path


def text_of(seen: Seen, learned: bool | None = None) -> str:
    (example,) = seen.examples
    return "".join(piece.text for piece in example.pieces if learned is None or piece.is_learned == learned)


def see(model: Path, format: str, row: dict[str, Any]) -> Seen:
    return examples.seen(Tokens(model, format), row)


def test_the_answer_and_its_end_are_learned() -> None:
    seen = see(MODEL, "prompt_completion", ROW)
    assert text_of(seen, learned=True) == "Die Pumpe. 泵坏了。<|im_end|>"
    assert text_of(seen, learned=False).endswith("<|im_start|>assistant\n")
    assert "<|im_start|>user\nWas ist kaputt? 👋<|im_end|>" in text_of(seen, learned=False)
    assert seen.by_template
    (example,) = seen.examples
    assert sum(len(piece.ids) for piece in example.pieces) == example.tokens
    assert sum(len(piece.ids) for piece in example.pieces if piece.is_learned) == example.learned_tokens
    assert {piece.text for piece in example.pieces if piece.is_special} == {"<|im_start|>", "<|im_end|>"}
    (hand,) = [piece for piece in example.pieces if "👋" in piece.text]
    assert len(hand.ids) > 1  # the bytes of one sign


def test_without_a_template_messages_stand_line_by_line(bare: Path) -> None:
    seen = see(bare, "prompt_completion", ROW)
    assert (text_of(seen), seen.by_template) == ("Was ist kaputt? 👋\nDie Pumpe. 泵坏了。<|im_end|>", False)


@pytest.mark.parametrize(
    ("format", "row", "learned"),
    [
        ("text", {"text": "Ein Satz."}, "in Satz.<|im_end|>"),  # nothing predicts the first token
        (
            "chat",
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
            "b<|im_end|>",
        ),
        (
            "unpaired_preference",
            {"prompt": [{"role": "user", "content": "a"}], "completion": "好", "label": True},
            "好<|im_end|>",
        ),
    ],
)
def test_every_format(format: str, row: dict[str, Any], learned: str) -> None:
    assert text_of(see(MODEL, format, row), learned=True) == learned


def test_compared_answers_are_seen_one_by_one() -> None:
    row = {"prompt": "a", "chosen": "gut", "rejected": "schlecht"}
    chosen, rejected = see(MODEL, "preference", row).examples
    assert [one.answer for one in (chosen, rejected)] == ["chosen", "rejected"]
    assert "".join(piece.text for piece in rejected.pieces if piece.is_learned) == "schlecht<|im_end|>"


def test_of_a_question_with_the_form_of_its_answer_nothing_is_learned() -> None:
    row = {"prompt": "a", "schema": {"type": "object"}}
    (example,) = see(MODEL, "prompt_schema", row).examples
    assert example.learned_tokens == 0
    assert text_of(see(MODEL, "prompt_schema", row)).endswith("<|im_start|>assistant\n")


def test_what_does_not_fit_is_cut_at_the_beginning_or_refuses_the_row() -> None:
    tokens = Tokens(MODEL, "prompt_completion")
    (whole,) = examples.seen(tokens, ROW).examples
    (cut,) = examples.seen(tokens, ROW, limit=whole.learned_tokens + 4).examples
    assert (cut.tokens, cut.cut_tokens) == (whole.learned_tokens + 4, whole.tokens - whole.learned_tokens - 4)
    assert sum(len(piece.ids) for piece in cut.pieces if piece.is_cut) == cut.cut_tokens
    assert not cut.is_refused
    (refused,) = examples.seen(tokens, ROW, limit=whole.learned_tokens).examples
    assert refused.is_refused
    assert refused.cut_tokens == 0


def test_of_a_very_long_row_the_ends_are_listed() -> None:
    tokens = Tokens(MODEL, "text")
    (example,) = examples.seen(tokens, {"text": "ab " * 5_000}).examples
    assert len(example.pieces) == 2 * example.hidden_after
    assert len(example.pieces) + example.hidden_pieces == example.tokens
    found = examples.seen(tokens, {"text": "ab " * 5_000}, limit=50)
    assert len(found.examples) + found.hidden_examples == example.tokens // 50  # the last one would be a token alone


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_pieces_make_the_text_again(text: str) -> None:
    row = {"text": text + "."}  # of one token alone nothing is learned
    assert text_of(see(MODEL, "text", row)) == f"{text}.<|im_end|>"


def test_as_many_are_counted_as_are_seen() -> None:
    tokens = Tokens(MODEL, "prompt_completion")
    rows = [ROW, {"prompt": "a", "completion": "b" * 50}]
    seen = [examples.seen(tokens, row).examples[0] for row in rows]
    assert tokens.count(rows) == [one.tokens for one in seen]


def test_a_template_of_several_and_one_that_refuses(bare: Path) -> None:
    refusing = "{{ raise_exception('no system message, please') }}"
    chosen = [{"name": "tool_use", "template": refusing}, {"name": "default", "template": "{{ messages[-1].content }}"}]
    (bare / "tokenizer_config.json").write_text(json.dumps({"chat_template": chosen, "eos_token": {"content": "</s>"}}))
    assert text_of(see(bare, "prompt_completion", {"prompt": "a", "completion": "b"})) == "ab</s>"
    (bare / "chat_template.jinja").write_text(refusing)
    with pytest.raises(ChatTemplateFailed) as problem:
        see(bare, "prompt_completion", ROW)
    assert problem.value.params == {"reason": "no system message, please"}
    assert Tokens(bare, "prompt_completion").count([ROW])[0] > 0


ASKED = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    "source",
    [
        "{% for message in messages",
        "{{ messages.__class__.__mro__ }}",
        "{{ ''.__class__ }}{{ ''.__class__.mro() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ messages.append(1) }}",
        "{{ 'a' * 10000000000 }}",
        "{{ 9 ** 999999999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ range(10000000) | list }}",
        "{{ undefined.attribute }}",
        "{% include 'other' %}",
    ],
)
def test_what_a_template_may_not_do(source: str) -> None:
    with pytest.raises(ChatTemplateFailed) as problem:
        ChatTemplate(source, {}).text(ASKED, asks=True)
    assert problem.value.params["reason"]


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}",
    ],
)
def test_a_template_that_would_never_end(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "SECONDS", 0.2)
    monkeypatch.setattr(templates, "MOST", 100_000)
    with pytest.raises(ChatTemplateEndless):
        ChatTemplate(source, {}).text(ASKED, asks=True)


def test_what_templates_do_use() -> None:
    source = (
        "{%- for message in messages %}{% if loop.index > 1 %}{% break %}{% endif %}"
        "{% generation %}{{ bos_token + message['content'] | trim }}{% endgeneration %}{% endfor %}"
        "{{ {'a': '<ä>'} | tojson }}{% if add_generation_prompt %}!{% endif %}"
    )
    assert ChatTemplate(source, {"bos_token": "<s>"}).text([*ASKED, *ASKED], asks=True) == '<s>hi{"a": "<ä>"}!'


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"version": "1.0", "model": {"type": "Magic"}}'])
def test_a_tokenizer_that_is_none(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(TokenizerUnreadable):
        Tokens(tmp_path, "text")


def ordered(folder: Path, row: dict[str, Any], model: Path) -> int:
    """The exit status of the process that shows a row."""
    mapping = Mapping("prompt_completion")
    order = Order(Step.SEE, Source("row"), Limits(1 << 20, 1 << 20), None, mapping, Split(), {}, str(model), 0, row)
    (folder / "order.json").write_text(json.dumps(told(order)))
    command = [sys.executable, "-P", "-m", "control_plane.preparation", str(folder)]
    return subprocess.run(command, timeout=300, check=False).returncode


def test_the_process_shows_a_row_and_says_what_is_wrong(bare: Path) -> None:
    assert ordered(bare, ROW, MODEL) == 0
    seen = read(Seen, json.loads((bare / "seen.json").read_bytes()))
    assert seen == see(MODEL, "prompt_completion", ROW)
    (bare / "chat_template.jinja").write_text("{{ raise_exception('one question only, please') }}")
    assert ordered(bare, ROW, bare) == 2
    written = json.loads((bare / "failure.json").read_bytes())
    assert written == {"code": "chat_template_failed", "params": {"reason": "one question only, please"}}
