"""What a training will take, before it runs: memory by what it holds, work by what it computes.

Per layer and token the backward pass keeps, for a model of the Llama family with a small adapter beside each linear
layer (h: width, k: width of keys, m: width between, r: rank, b: bytes a number):

    two norms in float32 8h; their results, queries, keys and values (repeated for each head), attention before and
    after it is put together 7h·b; gate, its activation, up and their product 4m·b; the adapters' insides 7r·b

and of attention its scores and what the plain way makes of them, (2b + 5) for each head and pair of tokens, where the
kit takes it because rows are short enough. With checkpointing it keeps each layer's input, h·b, and one layer as above
three times over: as it was, made again, and its gradients. What is kept takes a fifth more than it is, for the
allocator's sake. Weights that are stored in another precision are there twice.

What learns by reward reads a prompt once for all its answers, unless it checkpoints. While it writes answers it keeps
their keys and values, and the weights once more with the adapter in them (the kit) or each token's logits (TRL's PPO);
what learning does not take afterwards anyway counts as rollouts. tests/benchmarks/memory.py found these constants.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

ADAPTER, ALL = "adapter", "all"  # what of a model learns
PRECISION_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4, "float64": 8}
PLAIN_ATTENTION = 256  # tokens up to which the kit computes attention the plain way
CHARACTERS_PER_TOKEN = 2.5  # of text that says much with few letters, as JSON; most text has more
TEMPLATE_TOKENS = 40  # that a chat template adds to a row
START_SECONDS = 15.0  # for loading and saving; measured on the small model that the demo uses
_MOST = 4.0  # times that a correction may come to: beyond it something else is wrong
_HELD_BACK = 1.2  # times what is kept: memory that the allocator does not give back
_AGAIN = 3  # times that a layer's activations are there while it is computed again
_UTMOST = 1 << 40  # what a parameter may count for
_STATES = 2  # numbers that Adam keeps for each learned one
_FLOAT = 4  # bytes


@dataclass(frozen=True)
class Shape:
    """A model's sizes, as model.json has them."""

    parameters: int
    hidden: int
    layers: int
    intermediate: int
    vocabulary: int
    heads: int
    key_value_heads: int
    bytes_a_number: int

    @property
    def key_width(self) -> int:
        return self.hidden * self.key_value_heads // self.heads

    def adapter_parameters(self, rank: int) -> int:
        """LoRA beside each linear layer."""
        return rank * self.layers * (9 * self.hidden + 2 * self.key_width + 3 * self.intermediate)


@dataclass(frozen=True)
class Training:
    """How a method trains, as its manifest declares it under [resources.training]."""

    learns: str = ADAPTER
    runtime_bytes: int = 0  # of the libraries and what the process needs for itself
    sequences: int = 1  # that a row becomes: two for a pair
    reference: bool = False  # a second, frozen copy of the model is kept
    critic: bool = False  # a second model learns beside it, by an adapter of its own
    flash_attention: bool = False  # however short the rows: the kit does not choose
    whole_output: bool = False  # logits of every token, not of those alone that are learned from
    parts: str = ""  # the parameter that says in how many parts a step's rows are learned from
    rounds: str = ""  # … and the one that says how often
    rollouts: str = ""  # the parameter that says how many answers are sampled for a row
    rollout_tokens: str = ""  # … and the one that says how long they may be


@dataclass(frozen=True)
class Rows:
    """What is known of the rows: their number, characters of the longest, the middle one and the longest answer."""

    count: int
    longest: int
    middle: int
    longest_answer: int = 0  # 0: not known


@dataclass(frozen=True)
class Estimate:
    """Bytes by what they are for, in the order of `PARTS`, and floating-point operations of the whole job."""

    parts: Mapping[str, int]
    work: float

    @property
    def memory(self) -> int:
        """All of them; never more than a column holds, whatever somebody asks for."""
        return min(sum(self.parts.values()), 1 << 62)


PARTS = ("runtime", "weights", "reference", "learned", "optimizer", "activations", "output", "rollouts")


def shape_of(card: Mapping[str, Any]) -> Shape | None:
    """The sizes in a model.json; None where one that is needed is not stated or makes no sense."""
    stated = card.get("shape")
    stated = stated if isinstance(stated, Mapping) else {}
    names = ("hidden_size", "layers", "intermediate_size", "vocabulary", "heads", "key_value_heads")
    told = [card.get("parameter_count"), *(stated.get(name) for name in names)]
    sizes = [one for one in told if isinstance(one, int) and not isinstance(one, bool) and 0 < one < 1 << 50]
    if len(sizes) < len(told):
        return None
    parameters, hidden, layers, intermediate, vocabulary, heads, key_value_heads = sizes
    size = PRECISION_BYTES.get(str(card.get("dtype")), 2)
    return Shape(parameters, hidden, layers, intermediate, vocabulary, heads, key_value_heads, size)


def estimate(shape: Shape, training: Training, parameters: Mapping[str, Any], rows: Rows, beside: int = 0) -> Estimate:
    """What a job with these complete parameters takes; each is read by the name that it has in every method.

    `beside` are the bytes of weights that are only read, as those of a reward model.
    """
    size = PRECISION_BYTES.get(str(parameters.get("precision", "auto")), shape.bytes_a_number)
    load = _load(training, parameters, rows)
    all_learn, models = training.learns == ALL, 2 if training.critic else 1
    learned = shape.parameters if all_learn else models * shape.adapter_parameters(_number(parameters, "lora_rank", 0))
    learned_size = size if all_learn else _FLOAT
    weights = shape.parameters * size
    scored = load.longest if load.longest <= PLAIN_ATTENTION and not training.flash_attention else 0
    parts = {
        "runtime": training.runtime_bytes,
        "weights": weights * models * (1 if size == shape.bytes_a_number else 2),
        "reference": beside + (weights if training.reference else 0),
        "learned": learned * learned_size * (1 if all_learn else 2),  # gradients, and what is no part of the model
        "optimizer": learned * learned_size * _STATES,
        "activations": models * load.kept * _kept_a_token(shape, parameters, size, scored),
        "output": load.counted * shape.vocabulary * (2 * size + (3 if training.rollouts else 4) * _FLOAT),
    }
    writing = _writing(shape, training, load, size) if load.written else 0
    parts["rollouts"] = max(0, writing - parts["activations"] - parts["output"])
    operations = _operations_a_token(shape, parameters, load.middle, all_learn)
    return Estimate(parts, load.computed(_steps(parameters, rows.count)) * models * operations)


@dataclass(frozen=True)
class _Load:
    """How many sequences and tokens there are to a step."""

    sequences: int  # of all of it
    longest: int  # tokens of the longest sequence
    middle: int  # … of the middle one
    written: int  # tokens of an answer that is sampled, at most
    kept: int  # tokens whose activations are there at once
    counted: int  # tokens whose logits are there at once
    batches: int  # of a step, one after the other

    def computed(self, steps: int) -> float:
        """Tokens of so many steps."""
        return float(steps) * self.batches * self.sequences * self.middle


def _load(training: Training, parameters: Mapping[str, Any], rows: Rows) -> _Load:
    rows_at_once = _number(parameters, "batch_size", _number(parameters, "prompts_per_step", 1))
    longest, middle, answer = _lengths(parameters, rows)
    sampled = _number(parameters, training.rollouts, 1) if training.rollouts else 1
    written = _number(parameters, training.rollout_tokens, 0) if training.rollout_tokens else 0
    sequences = rows_at_once * training.sequences * sampled
    parts = max(1, _number(parameters, training.parts, 1)) if training.parts else 1
    rounds = _number(parameters, training.rounds, 1) if training.rounds else 1
    read_once = bool(training.rollouts) and not parameters.get("gradient_checkpointing")
    kept = rows_at_once * longest + sequences * written if read_once else sequences * (longest + written)
    learned_from = longest + written if training.whole_output else written or answer
    return _Load(
        sequences=sequences,
        longest=longest + written,
        middle=middle + written,
        written=written,
        kept=math.ceil(kept / parts),
        counted=math.ceil(sequences * learned_from / parts),
        batches=_number(parameters, "accumulation", 1) * rounds,
    )


def _writing(shape: Shape, training: Training, load: _Load, size: int) -> int:
    """Bytes that are there while answers are written."""
    cache = 2 * load.sequences * load.longest * shape.layers * shape.key_width * size
    if training.critic:
        return cache + load.sequences * load.written * shape.vocabulary * 2 * _FLOAT
    return cache + shape.parameters * size


def _kept_a_token(shape: Shape, parameters: Mapping[str, Any], size: int, scored: int) -> int:
    """Bytes; attention keeps its scores of so many tokens."""
    rank = _number(parameters, "lora_rank", 0)
    layer = 8 * shape.hidden + size * (7 * shape.hidden + 4 * shape.intermediate + 7 * rank)
    layer += shape.heads * scored * (2 * size + 5)
    if parameters.get("gradient_checkpointing"):
        return int(_HELD_BACK * (shape.layers * shape.hidden * size + _AGAIN * layer))
    return int(_HELD_BACK * shape.layers * layer)


def _operations_a_token(shape: Shape, parameters: Mapping[str, Any], length: int, all_learn: bool) -> float:
    """Two for each weight forwards, as many backwards, and as many again where the weights themselves learn."""
    forward = 2.0 * shape.parameters + 4.0 * shape.layers * shape.hidden * length
    return forward * ((3 if all_learn else 2) + bool(parameters.get("gradient_checkpointing")))


def _lengths(parameters: Mapping[str, Any], rows: Rows) -> tuple[int, int, int]:
    """Tokens of the longest row, the middle one and the longest answer, as far as they are learned from."""
    most = _number(parameters, "max_length", 1 << 20)
    longest, middle = (min(most, _tokens(one) + TEMPLATE_TOKENS) for one in (rows.longest, rows.middle))
    is_whole = parameters.get("learn_from") == "whole" or not rows.longest_answer
    return longest, middle, longest if is_whole else min(longest, _tokens(rows.longest_answer) + 2)


def _tokens(characters: int) -> int:
    return math.ceil(characters / CHARACTERS_PER_TOKEN)


def _steps(parameters: Mapping[str, Any], rows: int) -> int:
    if parameters.get("run_for") == "epochs" or ("steps" not in parameters and "epochs" in parameters):
        batches = math.ceil(rows / max(1, _number(parameters, "batch_size", 1)))
        return math.ceil(
            float(parameters["epochs"]) * math.ceil(batches / max(1, _number(parameters, "accumulation", 1)))
        )
    return _number(parameters, "steps", 1)


def _number(parameters: Mapping[str, Any], name: str, default: int) -> int:
    value = parameters.get(name, default)
    number = int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else default
    return max(0, min(number, _UTMOST))


@dataclass(frozen=True)
class Measured:
    """An earlier job of the same method: what had been estimated, and what came of it."""

    kind: str  # of its device: cpu | cuda | metal
    device: str  # its name, as the maker calls it
    memory: int  # bytes, estimated, without any correction
    work: float
    peak: int  # bytes of main memory, measured
    seconds: float


def memory_factor(measured: list[Measured]) -> float:
    """What estimates are to be multiplied by, so that they would have been right; 1 where nothing was measured.

    Main memory is what was measured, which says nothing of a graphics card's.
    """
    found = [one.peak / one.memory for one in measured if one.kind == "cpu" and one.peak > 0 and one.memory > 0]
    return min(_MOST, max(1 / _MOST, median(found))) if found else 1.0


def seconds(measured: list[Measured], device: str, work: float) -> float | None:
    """How long a job of so much work takes on a device of that name; None where none like it has run there."""
    found = [
        max(0.1, one.seconds - START_SECONDS) / one.work for one in measured if one.device == device and one.work > 0
    ]
    return START_SECONDS + median(found) * work if found else None
