"""What a page shows as learned is what training learns: both ways on the same rows, with the tiny model's tokenizer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from control_plane.domain.errors import ChatTemplateWithoutTools
from control_plane.domain.preparation import Example, Learning
from control_plane.preparation import examples
from control_plane.preparation.tokens import Tokens
from method_environments import method_python
from method_support import lines_of

pytestmark = pytest.mark.torch

TALK = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "The red door?"},
        {"role": "assistant", "content": "Open. 👋"},
        {"role": "user", "content": "The blue lamp is open.\n\n泵?"},
        {"role": "assistant", "content": '{"thing": "lamp"}'},
    ]
}
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"type": "function", "function": {"name": "look", "arguments": {"at": "cup"}}}],
}
ASKED = {"role": "user", "content": "The cup?"}
GIVEN = {"role": "tool", "content": '{"colour": "green"}'}
ROWS: dict[str, list[dict[str, Any]]] = {
    "chat": [TALK, {"messages": TALK["messages"][1:3]}],
    "chat_with_tools": [
        {
            "messages": [ASKED, CALL, GIVEN, CALL | {"content": "Again."}],
            "tools": [TOOL],
        },
        {"messages": TALK["messages"], "tools": []},
    ],
    "prompt_completion": [{"prompt": "The green cup is open. é", "completion": "Yes.\n"}],
    "text": [{"text": "The brown bridge is open, and the grey book. 泵坏了 👋"}],
    "preference": [{"prompt": "The white chair?", "chosen": "Yes.", "rejected": "I do not know."}],
    "unpaired_preference": [{"prompt": TALK["messages"][:2], "completion": "Open.", "label": False}],
}
LIMITS = (10_000, 24, 9)
# of a model whose template drops what was answered before, and of one without a template
FORGETTING = (
    "{% for one in messages %}{% if one.role != 'assistant' or loop.last %}[{{ one.role }}]{{ one.content }}"
    "{{ eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)

CALLING = (
    "{% if tools %}[tools]{% for one in tools %}{{ one | tojson }}{% endfor %}{% endif %}{% for one in messages %}"
    "[{{ one.role }}]{{ one.content }}{% for call in one.tool_calls %}<call>{{ call.function.name }}"
    "{{ call.function.arguments | tojson }}</call>{% endfor %}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)

# for each format, limit and way to learn: [[ids, labels], …] of all rows; null where the row is refused
LEARNED = """
import json, sys
from pathlib import Path
from kit import datasets, models, preferences
from kit.events import Refusal
from kit.training import lessons

tokenizer = models.load_tokenizer(Path(sys.argv[1]))
rows, limits = json.loads(sys.argv[2]), json.loads(sys.argv[3])
OTHER = lessons.IGNORED

def learned(format, row, limit, learn_from):
    if format == "preference":
        pair = preferences.tokenize_pairs([preferences._pair(row)], tokenizer, limit)[0]
        return [[pair["prompt_ids"] + pair[one], [OTHER] * len(pair["prompt_ids"]) + pair[one]]
                for one in ("chosen_ids", "rejected_ids")]
    if format == "unpaired_preference":
        one = preferences.tokenize_judged([preferences._judged(row)], tokenizer, limit)[0]
        asked, said = one["prompt_ids"], one["completion_ids"]
        return [[asked + said, [OTHER] * len(asked) + said]]
    read = {**datasets.READERS, "text": lessons._text, "chat_with_tools": datasets.with_tools}[format]
    found = lessons.tokenize([read(row)], tokenizer, limit, learn_from)
    return [[one["input_ids"], one["labels"]] for one in found]

for format, some in rows.items():
    for row in some:
        for limit in limits:
            for learn_from in ("completion", "last", "whole"):
                try:
                    print(json.dumps(learned(format, row, limit, learn_from)))
                except Refusal:
                    print("null")
"""


def shown(example: Example) -> list[list[int]]:
    """[the tokens that are read, the same with −100 where nothing is learned], as training has them."""
    pieces = [piece for piece in example.pieces if not piece.is_cut]
    ids = [number for piece in pieces for number in piece.ids]
    return [ids, [number if piece.is_learned else -100 for piece in pieces for number in piece.ids]]


def all_shown(model: Path) -> Iterator[list[list[list[int]]] | None]:
    for format, rows in ROWS.items():
        tokens = Tokens(model, format)
        for row in rows:
            for limit in LIMITS:
                for learn_from in Learning:
                    try:
                        found = examples.seen(tokens, row, learn_from, limit).examples
                    except ChatTemplateWithoutTools:
                        yield None
                        continue
                    yield None if any(one.is_refused for one in found) else [shown(one) for one in found]


@pytest.mark.parametrize("kind", ["template", "forgetting", "bare", "tools"])
def test_what_is_marked_is_what_is_learned(tiny: Path, tmp_path: Path, kind: str) -> None:
    for file in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"):
        if (tiny / "llama" / file).is_file():
            (tmp_path / file).write_bytes((tiny / "llama" / file).read_bytes())
    (tmp_path / "config.json").write_text((tiny / "llama" / "config.json").read_text())
    if kind == "forgetting":
        (tmp_path / "chat_template.jinja").write_text(FORGETTING)
    if kind == "tools":
        (tmp_path / "chat_template.jinja").write_text(CALLING)
    if kind == "bare":
        (tmp_path / "chat_template.jinja").unlink()
    printed = lines_of(method_python("sft"), LEARNED, str(tmp_path), json.dumps(ROWS), json.dumps(LIMITS))
    learned = [json.loads(line) for line in printed]
    assert list(all_shown(tmp_path)) == learned
    assert any(one is None for one in learned)
    assert any(one and len(one) > 1 for one in learned)
