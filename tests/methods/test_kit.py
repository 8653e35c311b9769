"""The kit without torch: job file, events, rows, model folders."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from kit import datasets, job, models, preferences, tiny_model
from kit.events import Events, Refusal


def refusal_of(path: Path) -> Refusal:
    with pytest.raises(Refusal) as refused:
        job.read(path)
    return refused.value


def test_job_paths_are_relative_to_the_job_file(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "adapter").mkdir()
    raw = {"method": "evaluate", "inputs": {"candidate": {
        "kind": "model", "form": "adapter", "path": "adapter", "base": {"form": "base", "path": "base"}}}}  # fmt: skip
    (tmp_path / "job.json").write_text(json.dumps(raw))
    model = job.read(tmp_path / "job.json").models["candidate"]
    assert model.path == tmp_path / "adapter"
    assert model.base == job.Model("base", tmp_path / "base")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({}, "method"),
        ({"method": 3}, "method"),
        ({"method": "a", "seed": True}, "seed"),
        ({"method": "a", "inputs": {"base": {"kind": "cake"}}}, "inputs.base.kind"),
        ({"method": "a", "inputs": {"base": {"kind": "model", "form": "base"}}}, "inputs.base.path"),
        ({"method": "a", "inputs": {"d": {"kind": "dataset", "format": 1}}}, "inputs.d.format"),
    ],
)
def test_a_wrong_job_file_is_refused_by_field(tmp_path: Path, raw: dict[str, Any], field: str) -> None:
    (tmp_path / "job.json").write_text(json.dumps(raw))
    refused = refusal_of(tmp_path / "job.json")
    assert (refused.code, refused.params["field"]) == ("job_invalid", field)


def test_a_missing_input_and_a_broken_job_file_are_refused(tmp_path: Path) -> None:
    raw = {"method": "a", "inputs": {"base": {"kind": "model", "form": "base", "path": "gone"}}}
    (tmp_path / "job.json").write_text(json.dumps(raw))
    assert refusal_of(tmp_path / "job.json").code == "input_missing"
    (tmp_path / "job.json").write_text('{"method": ')
    assert refusal_of(tmp_path / "job.json").code == "job_unreadable"


def test_events_are_one_object_a_line_and_leave_out_what_is_no_number(tmp_path: Path) -> None:
    events = Events(tmp_path)
    events.progress(1, 2, "training")
    events.metric(1, {"loss": float("nan"), "tokens": 3})
    progress, metric = map(json.loads, (tmp_path / "events.jsonl").read_text().splitlines())
    assert (progress["kind"], progress["stage"]) == ("progress", "training")
    assert metric["values"] == {"tokens": 3}


class Words:
    """A tokenizer that knows one token for each word; enough to see where prompt and answer meet."""

    def __init__(self, template: bool) -> None:
        self.chat_template = "yes" if template else None
        self.eos_token = "<end>"
        self.bos_token, self.bos_token_id = None, -1

    def apply_chat_template(self, messages: list[Any], tokenize: bool, add_generation_prompt: bool = False) -> str:
        text = "".join(f"{message['role']} : {message['content']} <turn>\n" for message in messages)
        return text + ("assistant : " if add_generation_prompt else "")

    def __call__(self, texts: Any, add_special_tokens: bool = True) -> dict[str, Any]:
        return {"input_ids": [text.split() for text in texts] if isinstance(texts, list) else texts.split()}


def write_lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_only_the_answer_counts(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"prompt": "one two", "completion": "three"})
    rows = datasets.read(path, "prompt_completion", "train")
    (templated,) = datasets.tokenize(rows, Words(template=True), 50)
    assert templated["input_ids"] == ["user", ":", "one", "two", "<turn>", "assistant", ":", "three", "<turn>"]
    assert templated["completion_mask"] == [0] * 7 + [1, 1]
    (plain,) = datasets.tokenize(rows, Words(template=False), 50)
    assert plain == {"input_ids": ["one", "two", "three<end>"], "completion_mask": [0, 0, 1]}


def test_a_long_row_loses_the_beginning_of_its_prompt_but_never_its_answer(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"prompt": "a b c d", "completion": "x"})
    rows = datasets.read(path, "prompt_completion", "train")
    (short,) = datasets.tokenize(rows, Words(template=False), 3)
    assert short["input_ids"] == ["c", "d", "x<end>"]
    with pytest.raises(Refusal) as refused:
        datasets.tokenize(rows, Words(template=False), 1)
    assert refused.value.code == "dataset_answer_too_long"


@pytest.mark.parametrize(
    ("format_", "row"),
    [
        ("prompt_completion", {"prompt": "a"}),
        ("prompt_completion", {"prompt": "a", "completion": 1}),
        ("prompt_completion", ["a", "b"]),
        ("chat", {"messages": [{"role": "user", "content": "a"}]}),
        ("chat", {"messages": "a"}),
    ],
)
def test_a_wrong_row_is_refused_by_file_and_line(tmp_path: Path, format_: str, row: Any) -> None:
    good = {"prompt": "a", "completion": "b", "messages": [{"role": "user", "content": "a"},
                                                            {"role": "assistant", "content": "b"}]}  # fmt: skip
    path = write_lines(tmp_path / "rows.jsonl", good, row)
    with pytest.raises(Refusal) as refused:
        datasets.read(path, format_, "train")
    assert refused.value.code == "dataset_row_invalid"
    assert (refused.value.params["file"], refused.value.params["line"]) == ("rows.jsonl", 2)


def test_a_pair_keeps_both_answers_and_loses_the_beginning_of_its_prompt(tmp_path: Path) -> None:
    pair = {"prompt": [{"role": "user", "content": "a b c d"}], "chosen": "x", "rejected": "y z"}
    rows = preferences.read_pairs(write_lines(tmp_path / "a.jsonl", pair), "preference", "train")
    (encoded,) = preferences.tokenize_pairs(rows, Words(template=False), 4)
    assert encoded == {"prompt_ids": ["c", "d"], "chosen_ids": ["x<end>"], "rejected_ids": ["y", "z<end>"]}
    with pytest.raises(Refusal) as refused:
        preferences.tokenize_pairs(rows, Words(template=False), 2)
    assert (refused.value.code, refused.value.params["tokens"]) == ("dataset_answer_too_long", 2)


def test_held_out_pairs_are_the_first_that_fit(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "chosen": answer, "rejected": "no"} for answer in ("yes", "yes yes yes yes", "ja", "oui")]
    path = write_lines(tmp_path / "a.jsonl", *rows)
    whole = preferences.tokenize_pairs(preferences.read_pairs(path, "preference", "test"), Words(template=False), 100)
    length = len(whole[0]["prompt_ids"]) + len(whole[0]["chosen_ids"])
    held_out = job.Dataset("preference", None, path)
    assert preferences.held_out_pairs(held_out, Words(template=False), length, 3) == [whole[0], whole[2]]
    assert preferences.held_out_pairs(held_out, Words(template=False), length, 0) == []
    assert preferences.held_out_pairs(job.Dataset("preference", path, None), Words(template=False), length, 3) == []


def test_a_judged_answer_carries_its_judgement(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", {"prompt": "a b", "completion": "x", "label": False})
    (encoded,) = preferences.tokenize_judged(
        preferences.read_judged(path, "unpaired_preference", "test"), Words(template=False), 2
    )
    assert encoded == {"prompt_ids": ["b"], "completion_ids": ["x<end>"], "label": False}


@pytest.mark.parametrize("label", [True, False])
def test_judgements_that_are_all_alike_are_refused(tmp_path: Path, label: bool) -> None:
    row = {"prompt": "a", "completion": "b", "label": label}
    train, test = write_lines(tmp_path / "a.jsonl", row, row), write_lines(tmp_path / "b.jsonl", row, row)
    dataset = {"dataset": job.Dataset("unpaired_preference", train, test)}
    parameters = {"max_length": 9, "held_out_rows": 1}
    asked = job.Job("kto", parameters, {}, dataset, 1, (), 1, None, None)
    with pytest.raises(Refusal) as refused:
        preferences.judged_of(asked, Words(template=False))
    assert (refused.value.code, refused.value.params) == ("judgements_all_alike", {"rows": 2, "label": label})
    write_lines(train, row, row | {"label": not label})
    learned, watched = preferences.judged_of(asked, Words(template=False))
    assert ([one["label"] for one in learned], [one["label"] for one in watched]) == ([label, not label], [label])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": "a", "chosen": "b"}, "field 'rejected' is missing"),
        (
            {"prompt": [], "chosen": "b", "rejected": "c"},
            "the prompt's messages must end before the assistant's answer",
        ),
        ({"prompt": 1, "chosen": "b", "rejected": "c"}, "'int' object is not iterable"),
        ({"prompt": "a", "chosen": "b", "rejected": " b"}, "chosen and rejected are the same answer"),
    ],
)
def test_a_wrong_pair_is_refused_with_its_reason(tmp_path: Path, row: Any, reason: str) -> None:
    with pytest.raises(Refusal) as refused:
        preferences.read_pairs(write_lines(tmp_path / "a.jsonl", row), "preference", "train")
    assert (refused.value.code, refused.value.params["reason"]) == ("dataset_row_invalid", reason)
    with pytest.raises(Refusal) as refused:
        preferences.read_judged(tmp_path / "a.jsonl", "preference", "train")
    assert refused.value.params["accepted"] == ["unpaired_preference"]


def test_the_sample_rows_are_sound(tmp_path: Path) -> None:
    tiny_model.write_rows(tmp_path)
    pairs = preferences.read_pairs(tmp_path / "pairs-train.jsonl", "preference", "train")
    judged = preferences.read_judged(tmp_path / "judged-test.jsonl", "unpaired_preference", "test")
    assert (len(pairs), len(judged), sum(row.is_good for row in judged)) == (48, 16, 8)
    assert json.loads(pairs[0].chosen) and pairs[0].rejected.startswith("The ")


class Failing(Words):
    """A tokenizer whose chat template raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__(template=True)
        self.error = error

    def apply_chat_template(self, messages: list[Any], tokenize: bool, add_generation_prompt: bool = False) -> str:
        raise self.error


@pytest.mark.parametrize("error", [ValueError("access to '__globals__' is unsafe\nin line 1"), RecursionError("deep"),
                                   OverflowError("Range too big"), ZeroDivisionError()])  # fmt: skip
def test_a_chat_template_that_fails_is_refused_with_its_reason(error: Exception) -> None:
    row = datasets.Row([{"role": "user", "content": "a"}], "b")
    for render in (datasets.render_prompt, datasets.render_completion):
        with pytest.raises(Refusal) as refused:
            render(row, Failing(error))
        assert refused.value.code == "chat_template_failed"
        assert refused.value.params["reason"] == (str(error).splitlines() or [type(error).__name__])[0]


def test_a_job_file_and_a_row_of_many_levels_are_refused(tmp_path: Path) -> None:
    deep = "[" * 200_000 + "]" * 200_000
    (tmp_path / "job.json").write_text(deep)
    assert refusal_of(tmp_path / "job.json").code == "job_unreadable"
    (tmp_path / "rows.jsonl").write_text(deep)
    with pytest.raises(Refusal) as refused:
        datasets.read(tmp_path / "rows.jsonl", "chat", "train")
    assert refused.value.code == "dataset_row_invalid"


def write_safetensors(path: Path, shape: tuple[int, ...], dtype: str = "BF16") -> None:
    size = 2
    for length in shape:
        size *= length
    header = json.dumps({"weight": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(size))


def test_a_model_folder_is_described_without_loading_it(tmp_path: Path) -> None:
    config = {"architectures": ["LlamaForCausalLM"], "max_position_embeddings": 128, "hidden_size": 64,
        "num_hidden_layers": 2, "vocab_size": 300, "num_attention_heads": 4}  # fmt: skip
    shape = {"hidden_size": 64, "layers": 2, "intermediate_size": 256, "vocabulary": 300, "heads": 4,
        "key_value_heads": 4}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    write_safetensors(tmp_path / "model.safetensors", (3, 5))
    assert models.describe(tmp_path) == {"architecture": "LlamaForCausalLM", "parameter_count": 15,
        "context_length": 128, "has_chat_template": True, "packaging_problem": "", "dtype": "bfloat16",
        "shape": shape}  # fmt: skip
    models.write_card(tmp_path, models.describe(tmp_path), form="base", licence="mit", source=None)
    assert models.card(job.Model("base", tmp_path))["licence"] == "mit"
    (tmp_path / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(Refusal) as refused:
        models.describe(tmp_path)
    assert refused.value.code == "model_weights_corrupt"
