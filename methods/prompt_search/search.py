"""Search for what to say to a model before the question, so that its answers score high.

PYTHONPATH=methods python methods/prompt_search/search.py --job job.json --out out/
"""

import json
import random
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import candidates as drawing
import course as courses
from candidates import Material, Prompt
from course import Course
from kit import answering, checkpoints, datasets, entry, lengths, prompts, signals
from kit.checking import Case
from kit.datasets import Row
from kit.events import Events, Refusal, fail
from kit.job import Job
from kit.judging import Judged

NAME = "prompt.json"
LEAST_ROWS = 24  # of the training part: some to choose by, as many to confirm by, the others to take examples from
BRACKET = 8  # candidates
_SHARE = 0.4  # of the rows, at most, that choose; as many confirm
_OWN_ROWS = 16  # that the model is asked for answers of its own to show
_GOOD = 0.99  # the score from which such an answer is shown
_LEAST_CONFIRMED = 8


def main(job: Job, out: Path, events: Events) -> None:
    """Split the rows, ask candidate after candidate, confirm the best on other rows, write ``prompt.json``."""
    begun = time.monotonic()
    judged = Judged(job.parameters["reward"])
    dataset = job.datasets["dataset"]
    rows = datasets.read(dataset.train, dataset.format, "train")
    if len(rows) < LEAST_ROWS:
        said = f"A search needs at least {LEAST_ROWS} rows to learn from; there are {len(rows)}."
        fail("rows_too_few", said, rows=len(rows), least=LEAST_ROWS)
    import torch

    torch.set_num_threads(job.threads)
    with signals.deferred() as stop:
        events.progress(0, 1, "loading")
        ((_, model, tokenizer),) = answering.loaded(job, ["model"])
        search = Search(job, out, events, judged, rows, model, tokenizer, begun, stop)
        search.run()


class Search:
    """One search: the parts of the rows, the model, and what was tried so far."""

    def __init__(
        self, job: Job, out: Path, events: Events, judged: Judged, rows: list[Row], model: Any, tokenizer: Any,
        begun: float, stop: signals.Stop,
    ) -> None:  # fmt: skip
        self.job, self.out, self.events, self.judged, self.stop = job, out, events, judged, stop
        self.model, self.tokenizer, self.begun = model, tokenizer, begun
        mixed = random.Random(job.seed).sample(rows, len(rows))
        part = min(int(job.parameters["rows"]), int(_SHARE * len(mixed)))
        self.choosing, self.confirming, self.pool = mixed[:part], mixed[part : 2 * part], mixed[2 * part :]
        expected = [datasets.render_completion(row, tokenizer) for row in rows if row.completion]
        counted = tokenizer(expected, add_special_tokens=False)["input_ids"] if expected else []
        self.longest = lengths.limit(int(job.parameters["max_new_tokens"]), map(len, counted))
        self.material = Material(
            instructions=list(dict.fromkeys([*job.parameters["instructions"], *drawing.instructions(rows)])),
            examples=[one for row in self.pool if (one := drawing.example(row))],
            own=(),
            most_examples=int(job.parameters["most_examples"]),
            max_tokens=self.longest,
        )
        self.brackets = -(-int(job.parameters["candidates"]) // BRACKET)
        self.total = self.brackets * courses.work(BRACKET, part) + part
        self.course = self._resumed() or Course.begun(self.material.prompt(""))
        self.earlier, self.saved_at = self.course.seconds, self.course.asked
        self.context = getattr(model.config, "max_position_embeddings", None)

    def run(self) -> None:
        ended = self._choose()
        winner = self.course.best()
        self._confirm(winner)
        self._spent()
        self._write(winner, ended)

    # ---- choosing

    def _choose(self) -> str:
        """Bracket after bracket; why it ended."""
        if self.course.own is None:
            self.course.own = self._own_answers()
            self._count()
        material = replace(self.material, own=self.course.own or ())
        for number in range(self.brackets):
            if number == len(self.course.brackets):
                self.course.brackets.append(self._drawn(number, material))
            if not courses.climb(
                self.course, self.course.brackets[number], len(self.choosing), self._ask, self._has_time
            ):
                return courses.MINUTES
        return courses.CANDIDATES

    def _drawn(self, number: int, material: Material) -> list[int]:
        """The numbers of a bracket's candidates; a bracket is the same whenever it is drawn."""
        rng = random.Random(f"{self.job.seed}/{number}")
        best = self.course.candidates[self.course.best()] if number else None
        known = {one.key for one in self.course.candidates}
        size = min(BRACKET, int(self.job.parameters["candidates"]) - number * BRACKET)
        found = drawing.bracket(rng, size, material, best, known, self._fits)
        first = len(self.course.candidates)
        self.course.candidates += found
        self.course.scores += [[] for _ in found]
        return list(range(first, len(self.course.candidates)))

    def _own_answers(self) -> list[dict[str, str]]:
        """Answers that the model gave to rows of the pool, told the first instruction alone, and that scored high."""
        shown = [row for row in self.pool if drawing.example(replace(row, completion="?"))][:_OWN_ROWS]
        prompt = self.material.prompt(self.material.instructions[0])
        if not shown or not self._fits(prompt):
            return []
        texts = self._answers(prompt, shown, "own")
        return [
            {"prompt": row.prompt[-1]["content"], "completion": text}
            for row, text in zip(shown, texts, strict=True)
            if text and self._score(row, text) >= _GOOD
        ]

    def _ask(self, number: int, first: int, last: int) -> None:
        """Add a candidate's scores on some of the rows that choose; told to those who watch."""
        prompt = self.course.candidates[number].prompt
        self.course.scores[number] += self._scores(prompt, self.choosing[first:last], f"{number}/{first}")
        self._count()
        scores = self.course.scores[number]
        told = {"score": courses.mean(scores), "rows": len(scores), "candidate": float(number)}
        self.events.metric(self.course.asked, told)
        self.events.progress(min(sum(map(len, self.course.scores)), self.total), self.total, "searching")

    def _has_time(self, rows: int) -> bool:
        """Whether there is time for so many answers more, and then for the confirmation of what has been found."""
        self._spent()
        rate = self.course.seconds / max(1, sum(map(len, self.course.scores)))
        reserve = min(2 * len(self.confirming) * rate, self._budget / 3)
        return self.course.seconds + rows * rate + reserve < self._budget

    # ---- confirming

    def _confirm(self, winner: int) -> None:
        """Let base and winner answer rows that chose nothing: the best of many looks better than it is."""
        size = int(self.job.parameters["batch_size"])
        numbers = {"base": 0} | ({"winner": winner} if winner else {})
        for start in range(0, len(self.confirming), size):
            self._spent()
            if start >= _LEAST_CONFIRMED and self.course.seconds > self._budget:
                break  # both have answered the same rows
            rows = self.confirming[start : start + size]
            for name, number in numbers.items():
                done = self.course.confirmed.setdefault(name, [])
                if len(done) < start + len(rows):
                    prompt = self.course.candidates[number].prompt
                    done += self._scores(prompt, rows, f"confirm/{number}/{start}")
                    self._count()
            self.events.progress(min(start + size, len(self.confirming)), len(self.confirming), "confirming")

    def _write(self, winner: int, ended: str) -> None:
        found = {
            "prompt": self.course.candidates[winner].prompt,
            "winner": winner,
            "candidates": [
                {"number": number, "origin": one.origin, "prompt": one.prompt, "scores": scores}
                for number, (one, scores) in enumerate(zip(self.course.candidates, self.course.scores, strict=True))
                if scores
            ],
            "confirmed": self.course.confirmed,
            "rows": {
                "choosing": len(self.choosing), "confirming": len(self.confirming), "examples": len(self.pool),
            },
            "ended": ended,
            "answer_limit": self.longest,
            "seconds": round(self.course.seconds, 3),
        }  # fmt: skip
        text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
        (self.out / NAME).write_text(text, encoding="utf-8")
        means = {name: courses.mean(scores) for name, scores in self.course.confirmed.items() if scores}
        self.events.metric(self.course.asked + 1, {f"confirmed.{name}": one for name, one in means.items()})

    # ---- asking the model

    def _scores(self, prompt: Prompt, rows: list[Row], place: str) -> list[float]:
        texts = self._answers(prompt, rows, place)
        return [self._score(row, text) for row, text in zip(rows, texts, strict=True)]

    def _score(self, row: Row, text: str) -> float:
        return self.judged.judge(text, Case(row.prompt[-1]["content"], row.completion, row.schema)).total

    def _answers(self, prompt: Prompt, rows: list[Row], place: str) -> list[str]:
        """An answer for each row, asked in the order of their lengths: rows of one batch then need little padding.

        What is drawn by chance follows from the seed and the place alone, so that a search can be resumed.
        """
        import torch

        asked = [self._text(prompt, row) for row in rows]
        order = sorted(range(len(rows)), key=lambda number: (len(asked[number]), number))
        torch.manual_seed(random.Random(f"{self.job.seed}/{place}").getrandbits(63))
        heat, size = float(prompt["decoding"]["temperature"]), int(self.job.parameters["batch_size"])
        found: list[str] = []
        for texts, _cut in answering.written(
            self.model, self.tokenizer, [asked[number] for number in order], self.longest, size, heat
        ):
            found += texts
            self._leave_if_asked()
        return [text for _, text in sorted(zip(order, found, strict=True))]

    def _text(self, prompt: Prompt, row: Row) -> str:
        return datasets.render_prompt(replace(row, prompt=prompts.messages(prompt, row.prompt)), self.tokenizer)

    def _fits(self, prompt: Prompt) -> bool:
        """Whether the longest question has room beside a prompt, and the model's template takes such messages."""
        longest = max(
            (*self.choosing, *self.confirming), key=lambda row: sum(len(one["content"]) for one in row.prompt)
        )
        try:
            text = self._text(prompt, longest)
        except Refusal:
            return False
        count = len(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        return self.context is None or count + self.longest <= self.context

    # ---- time and checkpoints

    @property
    def _budget(self) -> float:
        """Seconds."""
        return 60.0 * float(self.job.parameters["minutes"])

    def _spent(self) -> None:
        self.course.seconds = self.earlier + time.monotonic() - self.begun

    def _leave_if_asked(self) -> None:
        if self.stop.requested and self.course.asked > self.saved_at:
            self._save()
        self.stop.leave_if_requested()

    def _count(self) -> None:
        """Something was asked to its end, and belongs to the next checkpoint."""
        self.course.asked += 1
        every = int(self.job.parameters["checkpoint_every"])
        if every and self.course.asked - self.saved_at >= every:
            self._save()
        self._leave_if_asked()

    def _save(self) -> None:
        """What was tried so far as a checkpoint, which is there whole or not at all."""
        self._spent()
        folder = self.out / "checkpoints"
        made, target = folder / "unfinished", folder / str(self.course.asked)
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        (made / "course.json").write_text(json.dumps(self.course.data(), ensure_ascii=False), encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        made.replace(target)
        self.saved_at = self.course.asked
        self.events.checkpoint(self.course.asked, f"checkpoints/{self.course.asked}")
        checkpoints.keep_newest(folder, 2)

    def _resumed(self) -> Course | None:
        """What an earlier attempt tried; refuses with ``checkpoint_unreadable``."""
        if self.job.resume is None:
            return None
        path = self.job.resume / "course.json"
        try:
            return Course.of_data(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError) as error:
            checkpoints.unreadable(path.name, str(error))


if __name__ == "__main__":
    entry.run(main, __doc__)
