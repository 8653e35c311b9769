"""What a training takes, by what is known of the model, the rows and the parameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from control_plane.domain.estimates import (
    ALL,
    Measured,
    Rows,
    Training,
    estimate,
    memory_factor,
    seconds,
    shape_of,
)

CARD: dict[str, Any] = {
    "parameter_count": 134_515_008,
    "dtype": "bfloat16",
    "shape": {
        "hidden_size": 576, "layers": 30, "intermediate_size": 1536, "vocabulary": 49152, "heads": 9,
        "key_value_heads": 3,
    },
}  # fmt: skip
PARAMETERS: dict[str, Any] = {"steps": 10, "batch_size": 8, "max_length": 512, "lora_rank": 16, "precision": "auto"}
ROWS = Rows(count=100, longest=10_000, middle=500, longest_answer=100)
LORA = Training(runtime_bytes=500)


def parts(parameters: dict[str, Any], training: Training = LORA, rows: Rows = ROWS) -> dict[str, int]:
    shape = shape_of(CARD)
    assert shape is not None
    return dict(estimate(shape, training, PARAMETERS | parameters, rows).parts)


@pytest.mark.parametrize(
    "card",
    [{}, {"parameter_count": 5}, CARD | {"shape": None}, CARD | {"shape": {**CARD["shape"], "layers": 0}},
     CARD | {"shape": {**CARD["shape"], "heads": True}}, CARD | {"parameter_count": 1.5}],
)  # fmt: skip
def test_a_card_that_does_not_say_enough_has_no_shape(card: dict[str, Any]) -> None:
    assert shape_of(card) is None


def test_weights_and_adapter_are_counted_as_they_are() -> None:
    """PEFT makes 4,884,480 numbers beside SmolLM2's linear layers at rank 16."""
    shape = shape_of(CARD)
    assert shape is not None and shape.adapter_parameters(16) == 4_884_480
    found = parts({})
    assert found["weights"] == 2 * 134_515_008
    assert found["learned"] + found["optimizer"] == 16 * 4_884_480  # number, gradient and two states in float32
    assert parts({"precision": "float32"})["weights"] == 2 * 4 * 134_515_008  # and once more while they are converted


def test_more_of_anything_takes_more() -> None:
    plain = sum(parts({}).values())
    for more in ({"batch_size": 9}, {"max_length": 600}, {"lora_rank": 32}, {"precision": "float32"}):
        assert sum(parts(more).values()) > plain
    assert sum(parts({"gradient_checkpointing": True}).values()) < plain
    assert sum(parts({"learn_from": "whole"}).values()) > plain
    assert sum(parts({}, replace(LORA, learns=ALL)).values()) > plain
    assert sum(parts({}, replace(LORA, sequences=2)).values()) > plain


def test_a_reference_and_rollouts_are_what_the_manifest_declares() -> None:
    assert parts({}, replace(LORA, reference=True))["reference"] == parts({})["weights"]
    assert parts({})["rollouts"] == 0


def test_what_learns_by_reward_reads_a_prompt_once_for_all_its_answers() -> None:
    asked = {"prompts_per_step": 8, "answers": 4, "answer_tokens": 64}
    plain = {"lora_rank": 16, "steps": 10}
    sampling = replace(LORA, rollouts="answers", rollout_tokens="answer_tokens")
    shape, short = shape_of(CARD), Rows(count=100, longest=1000, middle=500, longest_answer=100)
    assert shape is not None

    def told(**changes: Any) -> dict[str, int]:
        return dict(estimate(shape, sampling, plain | asked | changes, short).parts)

    a_token = told(prompts_per_step=1, answers=1)["activations"] / (440 + 64)
    assert told()["activations"] == pytest.approx(8 * (440 + 4 * 64) * a_token, rel=1e-6)
    again = told(gradient_checkpointing=True, prompts_per_step=1, answers=1)["activations"] / (440 + 64)
    assert told(gradient_checkpointing=True)["activations"] == pytest.approx(32 * (440 + 64) * again, rel=1e-6)
    assert told()["output"] == 32 * 64 * 49152 * (2 * 2 + 12)  # logits where an answer's tokens are, whatever the rows'
    assert told()["rollouts"] == 0, "less than learning takes afterwards"


def test_a_critic_is_a_second_model_and_parts_are_learned_from_one_after_the_other() -> None:
    asked = {"prompts_per_step": 16, "answer_tokens": 40, "parts": 1, "rounds": 1}
    sampling = replace(LORA, rollout_tokens="answer_tokens", whole_output=True, parts="parts", rounds="rounds")
    shape = shape_of(CARD)
    assert shape is not None
    plain = {"lora_rank": 16, "steps": 10} | asked
    alone, both = (estimate(shape, replace(sampling, critic=critic), plain, ROWS) for critic in (False, True))
    for part in ("weights", "learned", "optimizer", "activations"):
        assert both.parts[part] == 2 * alone.parts[part]
    assert both.work == 2 * alone.work
    halves = estimate(shape, sampling, plain | {"parts": 2}, ROWS)
    assert halves.parts["activations"] == pytest.approx(alone.parts["activations"] / 2)
    assert halves.parts["output"] == alone.parts["output"] / 2
    small = estimate(shape, replace(sampling, critic=True), plain | {"parts": 16}, ROWS).parts
    prompt = 10_000 / 2.5 + 40
    written = 2 * 16 * (prompt + 40) * 30 * 192 * 2 + 16 * 40 * 49152 * 8  # keys, values and logits
    assert small["rollouts"] == max(0, written - small["activations"] - small["output"])
    assert estimate(shape, sampling, plain | {"rounds": 3}, ROWS).work == 3 * alone.work
    assert estimate(shape, sampling, plain, ROWS, beside=77).parts["reference"] == 77


def test_short_rows_take_little() -> None:
    short = Rows(count=100, longest=100, middle=50, longest_answer=20)
    assert parts({}, rows=short)["activations"] < parts({})["activations"] / 5
    plain, flash = (parts({}, replace(LORA, flash_attention=one), short)["activations"] for one in (False, True))
    assert plain - flash == pytest.approx(1.2 * 30 * 8 * 80 * 9 * 80 * 9, rel=1e-4), "9 heads' scores, 2 · 2 + 5 bytes"


def test_rounds_through_the_rows_count_as_the_trainer_counts_them() -> None:
    shape = shape_of(CARD)
    assert shape is not None

    def work(**parameters: Any) -> float:
        return estimate(shape, LORA, PARAMETERS | parameters, ROWS).work

    assert work(run_for="epochs", epochs=2) == pytest.approx(2.6 * work())  # 13 batches of 8 for 100 rows, twice
    assert work(run_for="epochs", epochs=2, accumulation=4) == pytest.approx(3.2 * work())  # 4 steps of 4 batches
    assert work(gradient_checkpointing=True) == pytest.approx(1.5 * work())


@pytest.mark.parametrize("number", [0, -5, 10**17, 1e300])
def test_what_makes_no_sense_is_estimated_all_the_same(number: float) -> None:
    shape = shape_of(CARD)
    assert shape is not None
    senseless = {"run_for": "epochs", "epochs": 1, "batch_size": number, "accumulation": number, "max_length": number}
    found = estimate(shape, LORA, PARAMETERS | senseless, ROWS)
    assert 0 < found.memory <= 1 << 62 and found.work >= 0


def earlier(**changes: Any) -> Measured:
    return replace(Measured("cpu", "EPYC", memory=100, work=1e12, peak=150, seconds=115.0), **changes)


def test_earlier_jobs_correct_the_memory() -> None:
    assert memory_factor([]) == 1
    assert memory_factor([earlier(), earlier(peak=120), earlier(peak=130)]) == 1.3
    assert memory_factor([earlier(peak=0), earlier(kind="cuda", peak=10)]) == 1
    assert memory_factor([earlier(peak=100_000)]) == 4


def test_time_is_known_where_a_job_like_it_has_run() -> None:
    assert seconds([], "EPYC", 1e12) is None
    assert seconds([earlier()], "H100", 1e12) is None
    assert seconds([earlier()], "EPYC", 3e12) == pytest.approx(15 + 300)
