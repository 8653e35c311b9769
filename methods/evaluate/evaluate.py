"""Score a model, and a second one beside it, on held-out rows that it has not learned from.

PYTHONPATH=methods python methods/evaluate/evaluate.py --job job.json --out out/
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lengths
import preference
import scores
from kit import datasets, entry, models
from kit.events import Events
from kit.job import Job, Model

ORDER = ("baseline", "candidate")
NAME = "evaluation.json"


@dataclass
class Answers:
    """What one candidate answered to each row, whether that was cut at the limit, and how long all took in seconds."""

    texts: list[str]
    cut: list[bool]
    seconds: float


def main(job: Job, out: Path, events: Events) -> None:
    """Let each candidate answer greedily, score row by row, write ``evaluation.json``; pairs are only compared."""
    import torch

    torch.set_num_threads(job.threads)
    torch.manual_seed(job.seed)
    measures = scores.Measures(job.parameters["schema"], job.parameters["checks"])
    dataset = job.datasets["dataset"]
    if dataset.format == preference.FORMAT:
        preference.compare(job, loaded(job, [name for name in ORDER if name in job.models]), out / NAME, events)
        report(out / NAME, events)
        return
    rows = datasets.read(dataset.test, dataset.format, "test")[: job.parameters["rows"]]
    given = [name for name in ORDER if name in job.models]
    total = len(rows) * len(given)
    events.progress(0, total, "loading")
    longest = lengths.limit(job.parameters["max_new_tokens"], expected(job, given, rows))

    answers: dict[str, Answers] = {}
    prompts: list[str] = []
    for name, model, tokenizer in loaded(job, given):
        prompts = [datasets.render_prompt(row, tokenizer) for row in rows]
        done = sum(len(one.texts) for one in answers.values())
        started = time.perf_counter()
        texts: list[str] = []
        cut: list[bool] = []
        for batch, batch_cut in answer(model, tokenizer, prompts, longest, job.parameters["batch_size"]):
            texts += batch
            cut += batch_cut
            events.progress(done + len(texts), total, name)
        answers[name] = Answers(texts, cut, round(time.perf_counter() - started, 3))
    write(out / NAME, rows, answers, longest, measures)
    report(out / NAME, events)


def loaded(job: Job, names: list[str]) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, model, tokenizer) for each candidate; models on the same base share its weights in memory."""
    folder, base, tokenizer = None, None, None
    for name in names:
        wanted = job.models[name]
        if folder != base_folder(wanted):
            base = None  # freed before the next one is loaded
            base, tokenizer = models.load_base(wanted)
            base = base.to(job.devices[0] if job.devices[0].startswith("cuda") else "cpu").eval()
            folder = base_folder(wanted)
        if wanted.form != "adapter":
            yield name, base, tokenizer
            continue
        adapted = models.add_adapter(base, wanted).eval()
        yield name, adapted, tokenizer
        base = models.without_adapter(adapted)


def base_folder(model: Model) -> Path:
    """The folder of the complete model that a candidate stands on."""
    return (model.base or model).path


def expected(job: Job, names: list[str], rows: list[datasets.Row]) -> Iterator[int]:
    """The lengths of all expected answers in tokens of each tokenizer, with the end of the turn."""
    for folder in {base_folder(job.models[name]) for name in names}:
        tokenizer = models.load_tokenizer(folder)
        texts = [datasets.render_completion(row, tokenizer) for row in rows]
        yield from map(len, tokenizer(texts, add_special_tokens=False)["input_ids"])


def answer(
    model: Any, tokenizer: Any, prompts: list[str], longest: int, size: int
) -> Iterator[tuple[list[str], list[bool]]]:
    """Generate greedily, a batch at a time, padded on the left so that every prompt ends where its answer begins.

    Yields each batch's texts, and which of them were cut after ``longest`` tokens.
    """
    import torch

    tokenizer.padding_side = "left"
    final = ends(model, tokenizer)
    for start in range(0, len(prompts), size):
        batch = tokenizer(prompts[start : start + size], return_tensors="pt", padding=True, add_special_tokens=False)
        batch = {name: batch[name].to(model.device) for name in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            ids = model.generate(
                **batch, max_new_tokens=longest, do_sample=False, temperature=None, top_p=None, top_k=None,
                pad_token_id=tokenizer.pad_token_id, eos_token_id=final,
            )  # fmt: skip
        written = ids[:, batch["input_ids"].shape[1] :]
        cut = [lengths.is_cut(one, final) for one in written.tolist()]
        yield tokenizer.batch_decode(written, skip_special_tokens=True), cut


def ends(model: Any, tokenizer: Any) -> list[int]:
    """The tokens that end an answer: the model's own, which may be several, and its tokenizer's."""
    own = model.generation_config.eos_token_id
    ids = [*(own if isinstance(own, list) else [own]), tokenizer.eos_token_id]
    return sorted({token for token in ids if token is not None})


def write(
    path: Path, rows: list[datasets.Row], answers: dict[str, Answers], longest: int, measures: scores.Measures
) -> None:
    """Write the scores of every row and the rows themselves with all answers."""
    metrics: dict[str, dict[str, list[float]]] = {metric: {} for metric in measures.names}
    for name, given in answers.items():
        for text, row in zip(given.texts, rows, strict=True):
            for metric, score in measures.of(text, row).items():
                metrics[metric].setdefault(name, []).append(score)
    content = {
        "candidates": list(answers),
        "metrics": metrics,
        "primary_metric": next(iter(metrics)),
        "rows": [
            {"row": number, "prompt": row.prompt[-1]["content"], "expected": row.completion,
             "answers": {name: given.texts[number] for name, given in answers.items()},
             "cut": [name for name, given in answers.items() if given.cut[number]]}
            for number, row in enumerate(rows)
        ],
        "answer_limit": longest,
        "seconds": {name: given.seconds for name, given in answers.items()},
    }  # fmt: skip
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def report(path: Path, events: Events) -> None:
    """One metric event with each candidate's mean score, for those who watch."""
    metrics = json.loads(path.read_text(encoding="utf-8"))["metrics"]
    means = {f"{metric}.{name}": sum(row) / len(row) for metric, all_ in metrics.items() for name, row in all_.items()}
    events.metric(0, means)


if __name__ == "__main__":
    entry.run(main, __doc__)
