"""Candidates of a search: instructions that the rows suggest, and prompts drawn from them and from examples."""

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kit.datasets import Row

Prompt = dict[str, Any]  # as kit/prompts.py has it
Example = dict[str, str]  # prompt, completion

BASE, INSTRUCTION, EXAMPLES, OWN, NEIGHBOUR = "base", "instruction", "examples", "own_answers", "neighbour"
_FEW = 8  # different answers that an instruction may list
_LONGEST_LABEL = 40  # characters
_WARM = 0.5  # the temperature of a candidate that does not always take the likeliest word
_TRIES = 20  # draws for one candidate, until one is new and fits into the model's context


@dataclass(frozen=True)
class Candidate:
    """A prompt, and how it came about."""

    prompt: Prompt
    origin: str

    @property
    def key(self) -> str:
        """What two that say the same have in common."""
        return json.dumps(self.prompt, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True)
class Material:
    """What candidates are drawn from: system texts, rows' own examples, and answers of the model that scored high."""

    instructions: Sequence[str]
    examples: Sequence[Example]
    own: Sequence[Example]
    most_examples: int
    max_tokens: int  # of an answer

    def prompt(self, system: str, examples: Sequence[Example] = (), temperature: float = 0.0) -> Prompt:
        """A prompt in its canonical form."""
        said: Prompt = {"system": system} if system else {}
        if examples:
            said["examples"] = list(examples)
        return said | {"decoding": {"temperature": temperature, "max_tokens": self.max_tokens}}


def example(row: Row) -> Example | None:
    """A row as an example; None for one with several turns, or without an answer to show."""
    asked = [message for message in row.prompt if message["role"] != "system"]
    if len(asked) != 1 or not asked[0]["content"] or not row.completion:
        return None
    return {"prompt": asked[0]["content"], "completion": row.completion}


def instructions(rows: Sequence[Row]) -> list[str]:
    """System texts that the form of the rows' answers suggests, by rules alone."""
    found = ["You answer exactly as you are asked to, with nothing before or after the answer."]
    answers = [row.completion for row in rows if row.completion]
    schemas = {row.schema for row in rows if row.schema}
    if len(schemas) == 1:
        found.append(f"Answer with one JSON value and nothing else. It follows this JSON Schema: {schemas.pop()}")
    if not answers:
        return found
    objects = [_object(text) for text in answers]
    if all(one is not None for one in objects):
        keys = list(dict.fromkeys(key for one in objects for key in one or ()))
        named = ", ".join(json.dumps(key, ensure_ascii=False) for key in keys[:30])
        found += [
            f"Answer with one JSON object and nothing else. Its keys are {named}.",
            f"Read the text and fill in a JSON object with the keys {named}. Take the values from the text. Write only "
            "the JSON object, on one line, without explanation.",
        ]
        return found
    labels = Counter(answers)
    if len(labels) <= min(_FEW, len(answers) // 2) and all(len(one) <= _LONGEST_LABEL for one in labels):
        listed = ", ".join(sorted(labels))
        found.append(f"Answer with one of these and nothing else: {listed}.")
        found.append(f"Decide which fits best: {listed}. Write only it.")
    longest = max(len(text.split()) for text in answers)
    found.append(f"Answer briefly, in at most {max(longest, 1)} words, without explanation.")
    return found


def bracket(
    rng: random.Random, size: int, material: Material, best: Candidate | None, known: set[str],
    fits: Callable[[Prompt], bool],
) -> list[Candidate]:  # fmt: skip
    """The next candidates, none of which is `known`: at first each instruction alone, later half near the best."""
    found: list[Candidate] = []

    def take(one: Candidate) -> bool:
        says = one.prompt.get("system") or one.prompt.get("examples")
        if not says or one.key in known or not fits(one.prompt):
            return False
        known.add(one.key)
        found.append(one)
        return True

    if best is None:
        for system in material.instructions[: max(1, size // 2)]:
            take(Candidate(material.prompt(system), INSTRUCTION))
    while len(found) < size:
        near = best is not None and len(found) < size // 2
        if not any(take(_neighbour(rng, material, best) if near and best else _fresh(rng, material))
                   for _ in range(_TRIES)):  # fmt: skip
            if not near:
                break
            best = None  # all that is near it is known
    return found


def _fresh(rng: random.Random, material: Material) -> Candidate:
    own = bool(material.own) and (not material.examples or rng.random() < 0.5)
    pool = material.own if own else material.examples
    count = min(rng.randint(0 if not pool else 1, max(1, material.most_examples)), len(pool))
    system = rng.choice(["", *material.instructions])
    warm = _WARM if rng.random() < 0.15 else 0.0
    origin = (OWN if own else EXAMPLES) if count else INSTRUCTION
    return Candidate(material.prompt(system, rng.sample(list(pool), count), warm), origin)


def _neighbour(rng: random.Random, material: Material, best: Candidate) -> Candidate:
    """The best with one thing changed: the instruction, the order, one example more, fewer or another, the heat."""
    system = str(best.prompt.get("system", ""))
    examples = list(best.prompt.get("examples", ()))
    heat = float(best.prompt["decoding"]["temperature"])
    pool = [one for one in (*material.examples, *material.own) if one not in examples]
    change = rng.choice(("instruction", "order", "more", "fewer", "other", "heat"))
    if change == "instruction":
        system = rng.choice(["", *material.instructions])
    elif change == "order":
        rng.shuffle(examples)
    elif change == "more" and pool and len(examples) < material.most_examples:
        examples.insert(rng.randint(0, len(examples)), rng.choice(pool))
    elif change == "fewer" and examples:
        examples.pop(rng.randrange(len(examples)))
    elif change == "other" and pool and examples:
        examples[rng.randrange(len(examples))] = rng.choice(pool)
    elif change == "heat":
        heat = 0.0 if heat else _WARM
    return Candidate(material.prompt(system, examples, heat), NEIGHBOUR)


def _object(text: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
