"""Several examples in one row, so that short ones leave no room empty; each still sees only itself."""

from typing import Any

from kit.training.lessons import Example


def pack(examples: list[Example], length: int) -> list[dict[str, list[int]]]:
    """Examples laid into rows of at most ``length`` tokens, the longest first, each where the least room is left over.

    A row has ``seq_lengths`` beside tokens and labels: the collator counts positions anew for each example in it,
    which is what keeps the model's attention within one.
    """
    rows: list[list[Example]] = []
    room: list[int] = []
    for example in sorted(examples, key=lambda one: -len(one["input_ids"])):
        size = len(example["input_ids"])
        fitting = [number for number, left in enumerate(room) if left >= size]
        if fitting:
            best = min(fitting, key=lambda number: room[number])
            rows[best].append(example)
            room[best] -= size
        else:
            rows.append([example])
            room.append(length - size)
    return [_joined(row) for row in rows]


def collator(tokenizer: Any) -> Any:
    """TRL's collator that says each token's position within its example."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    return DataCollatorForLanguageModeling(tokenizer.pad_token_id, return_position_ids=True)


def _joined(row: list[Example]) -> dict[str, list[int]]:
    whole = {name: [token for one in row for token in one[name]] for name in ("input_ids", "labels")}
    return {**whole, "seq_lengths": [len(one["input_ids"]) for one in row]}
