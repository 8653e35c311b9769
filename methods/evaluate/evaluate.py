"""Score a model, and a second one beside it, on held-out rows that it has not learned from.

PYTHONPATH=methods python methods/evaluate/evaluate.py --job job.json --out out/
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import preference
import scores
from kit import answering, datasets, entry, lengths, models
from kit.events import Events
from kit.job import Job

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
        named = [name for name in ORDER if name in job.models]
        preference.compare(job, answering.loaded(job, named), out / NAME, events)
        report(out / NAME, events)
        return
    rows = datasets.read(dataset.test, dataset.format, "test")[: job.parameters["rows"]]
    given = [name for name in ORDER if name in job.models]
    total = len(rows) * len(given)
    events.progress(0, total, "loading")
    longest = lengths.limit(job.parameters["max_new_tokens"], expected(job, given, rows))

    answers: dict[str, Answers] = {}
    prompts: list[str] = []
    for name, model, tokenizer in answering.loaded(job, given):
        prompts = [datasets.render_prompt(row, tokenizer) for row in rows]
        done = sum(len(one.texts) for one in answers.values())
        started = time.perf_counter()
        texts: list[str] = []
        cut: list[bool] = []
        for batch, batch_cut in answering.written(model, tokenizer, prompts, longest, job.parameters["batch_size"]):
            texts += batch
            cut += batch_cut
            events.progress(done + len(texts), total, name)
        answers[name] = Answers(texts, cut, round(time.perf_counter() - started, 3))
    write(out / NAME, rows, answers, longest, measures)
    report(out / NAME, events)


def expected(job: Job, names: list[str], rows: list[datasets.Row]) -> Iterator[int]:
    """The lengths of all expected answers in tokens of each tokenizer, with the end of the turn."""
    for folder in {answering.base_folder(job.models[name]) for name in names}:
        tokenizer = models.load_tokenizer(folder)
        texts = [datasets.render_completion(row, tokenizer) for row in rows]
        yield from map(len, tokenizer(texts, add_special_tokens=False)["input_ids"])


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
