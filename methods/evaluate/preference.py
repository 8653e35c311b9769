"""Which of two answers a model finds more likely, the preferred one or the other: no answer is written.

Likely is what has the higher mean log-probability of a token, so that a longer answer has no handicap.
"""

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from kit import preferences
from kit.events import Events
from kit.job import Job
from kit.preferences import Pair

FORMAT, METRIC = "preference", "preference_accuracy"


def compare(job: Job, candidates: Iterable[tuple[str, Any, Any]], path: Path, events: Events) -> None:
    """Write ``evaluation.json`` from what each (name, model, tokenizer) of ``candidates`` finds of held-out pairs."""
    dataset = job.datasets["dataset"]
    pairs = preferences.read_pairs(dataset.test, dataset.format, "test")[: job.parameters["rows"]]
    right: dict[str, list[bool]] = {}
    seconds: dict[str, float] = {}
    total = len(pairs) * (2 if "baseline" in job.models else 1)
    for name, model, tokenizer in candidates:
        started, done = time.perf_counter(), sum(map(len, right.values()))
        found = right.setdefault(name, [])
        for batch in prefers_chosen(model, tokenizer, pairs, max(1, job.parameters["batch_size"] // 2)):
            found += batch
            events.progress(done + len(found), total, name)
        seconds[name] = round(time.perf_counter() - started, 3)
    path.write_text(json.dumps(content(pairs, right, seconds), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def content(pairs: list[Pair], right: dict[str, list[bool]], seconds: dict[str, float]) -> dict[str, Any]:
    """What ``evaluation.json`` says: as a model's answer stands the one of the two that it finds more likely."""
    return {
        "candidates": list(right),
        "metrics": {METRIC: {name: [int(one) for one in found] for name, found in right.items()}},
        "primary_metric": METRIC,
        "rows": [
            {"row": number, "prompt": pair.prompt[-1]["content"], "expected": pair.chosen,
             "answers": {name: pair.chosen if found[number] else pair.rejected for name, found in right.items()}}
            for number, pair in enumerate(pairs)
        ],
        "seconds": seconds,
    }  # fmt: skip


def prefers_chosen(model: Any, tokenizer: Any, pairs: list[Pair], size: int) -> Iterator[list[bool]]:
    """For each pair whether its preferred answer is the more likely one, ``size`` pairs at a time; a tie is no."""
    longest = getattr(model.config.get_text_config(), "max_position_embeddings", None) or 131_072
    encoded = preferences.tokenize_pairs(pairs, tokenizer, longest)
    for start in range(0, len(encoded), size):
        batch = encoded[start : start + size]
        answers = [(pair["prompt_ids"], pair[name]) for name in ("chosen_ids", "rejected_ids") for pair in batch]
        likely = mean_log_probabilities(model, tokenizer.pad_token_id, answers)
        yield [chosen > rejected for chosen, rejected in zip(likely[: len(batch)], likely[len(batch) :], strict=True)]


def mean_log_probabilities(model: Any, padding: int, answers: list[tuple[list[int], list[int]]]) -> list[float]:
    """Of each (prompt's tokens, answer's tokens) the answer's mean log-probability of a token, in one pass.

    The output layer sees only the positions that predict an answer: all logits of a large vocabulary would not fit.
    """
    import torch

    rows = [prompt + answer for prompt, answer in answers]
    width = max(map(len, rows))
    ids = torch.tensor([row + [padding] * (width - len(row)) for row in rows], device=model.device)
    places = torch.arange(width, device=model.device)
    lengths = torch.tensor([len(row) for row in rows], device=model.device)
    begins = torch.tensor([len(prompt) for prompt, _ in answers], device=model.device)
    counts = (places >= begins[:, None]) & (places < lengths[:, None])  # [rows, width]: the answers' tokens
    predicts = counts[:, 1:]
    select = model.get_output_embeddings().register_forward_pre_hook(
        lambda _module, given: (given[0][:, -width:][:, :-1][predicts].unsqueeze(0), *given[1:])  # a prompt goes before
    )
    try:
        with torch.inference_mode():
            logits = model(input_ids=ids, attention_mask=(places < lengths[:, None]).long(), use_cache=False).logits[0]
    finally:
        select.remove()
    found = logits.float().log_softmax(dim=-1).gather(1, ids[counts][:, None])[:, 0]
    return [float(part.mean()) for part in found.split((lengths - begins).tolist())]
