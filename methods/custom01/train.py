"""A training loop of your own in plain PyTorch: a worked example to copy and change.

PYTHONPATH=methods python methods/custom01/train.py --job job.json --out out/
"""

import json
import math
import random
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

from kit import checkpoints, datasets, entry, models, signals
from kit.events import Events, fail
from kit.job import Job

IGNORED = -100  # the label of a position from which nothing is learned


def main(job: Job, out: Path, events: Events) -> None:
    """Load, learn step by step, save; exits with 143 after a checkpoint when SIGTERM asks for it."""
    import torch
    from kit.training import adapters, course, held_out

    course.prepare(job)
    chosen, steps, dataset = job.parameters, job.parameters["steps"], job.datasets["dataset"]
    events.progress(0, steps, "loading")
    model, tokenizer = models.load_base(job.models["base"], chosen["precision"])
    rows = datasets.read(dataset.train, dataset.format, "train")
    examples = datasets.tokenize(rows, tokenizer, chosen["max_length"])
    watched = held_out.examples(dataset, tokenizer, chosen["max_length"], chosen["held_out_rows"])
    facts = models.card(job.models["base"])
    model = adapters.lora(model, job, facts).to(device_of(job)).train()
    learned = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=chosen["learning_rate"], weight_decay=0.0)
    done = load_checkpoint(job.resume, learned, optimizer)

    with signals.deferred() as stop:
        for step in range(done + 1, steps + 1):
            began = time.perf_counter()
            # ---- one step: change this part
            loss = loss_of(model, batch(examples, step, chosen["batch_size"], job.seed), tokenizer.pad_token_id)
            optimizer.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(learned, chosen["max_grad_norm"] or math.inf)
            optimizer.step()
            # ---- what it tells
            values = {"loss": loss.item(), "grad_norm": float(norm), "learning_rate": chosen["learning_rate"]}
            if not math.isfinite(values["loss"]):
                text = f"The loss is no longer a number at step {step}; a lower learning rate helps."
                fail("training_diverged", text, step=step)
            if watched and (step == steps or step % max(1, steps // 10) == 0):
                values["held_out_loss"] = mean_loss(model, watched, chosen["batch_size"], tokenizer.pad_token_id)
            events.metric(step, {**values, "step_seconds": round(time.perf_counter() - began, 4)})
            events.progress(step, steps, "training")
            is_due = chosen["checkpoint_every"] and step % chosen["checkpoint_every"] == 0
            if stop.requested or is_due:
                save_checkpoint(out, step, learned, optimizer, events)
            if stop.requested:
                raise SystemExit(signals.TERMINATED)
    events.progress(steps, steps, "saving")
    adapters.save(model, out / "adapter", facts, job.method)
    events.progress(steps, steps, "done")


def device_of(job: Job) -> str:
    """PyTorch's name of the device that the job was given."""
    return "cuda" if job.devices[0].startswith("cuda") else "cpu"


def batch(examples: list[dict[str, list[int]]], step: int, size: int, seed: int) -> list[dict[str, list[int]]]:
    """The examples of a step: each pass over them in an order of its own, which follows from seed and step alone."""
    chosen = []
    for number in range((step - 1) * size, step * size):
        turn, place = divmod(number, len(examples))
        chosen.append(examples[order(len(examples), turn, seed)[place]])
    return chosen


@lru_cache(maxsize=2)
def order(count: int, turn: int, seed: int) -> list[int]:
    """The places of `count` examples in the order of one pass over them."""
    found = list(range(count))
    random.Random(f"{seed}:{turn}").shuffle(found)
    return found


def loss_of(model: Any, examples: list[dict[str, list[int]]], padding: int) -> Any:
    """Mean cross entropy over the tokens of the answers."""
    import torch

    longest = max(len(one["input_ids"]) for one in examples)
    ids = [one["input_ids"] + [padding] * (longest - len(one["input_ids"])) for one in examples]
    marks = [one["completion_mask"] + [0] * (longest - len(one["input_ids"])) for one in examples]
    seen = [[1] * len(one["input_ids"]) + [0] * (longest - len(one["input_ids"])) for one in examples]
    inputs, mask = torch.tensor(ids, device=model.device), torch.tensor(marks, device=model.device)
    labels = inputs.masked_fill(mask == 0, IGNORED)
    logits = model(input_ids=inputs, attention_mask=torch.tensor(seen, device=model.device), use_cache=False).logits
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].float().flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
    )


def mean_loss(model: Any, examples: list[dict[str, list[int]]], size: int, padding: int) -> float:
    """The loss on rows that are not learned from; each batch counts by its answers' tokens."""
    import torch

    parts = [examples[start : start + size] for start in range(0, len(examples), size)]
    counts = [sum(sum(one["completion_mask"]) for one in part) for part in parts]
    model.eval()
    with torch.no_grad():
        total = sum(float(loss_of(model, part, padding)) * count for part, count in zip(parts, counts, strict=True))
    model.train()
    return total / sum(counts)


def save_checkpoint(out: Path, step: int, learned: list[Any], optimizer: Any, events: Events) -> None:
    """All that a second machine needs to go on after this step: weights and optimizer, without a pickle."""
    from safetensors.torch import save_file

    tensors: dict[str, Any] = {}
    state = {"step": step, "learned": [one.detach().cpu() for one in learned], "optimizer": optimizer.state_dict()}
    tree = checkpoints.pack(state, tensors)
    begun, place = out / "checkpoints" / "begun", out / "checkpoints" / str(step)
    begun.mkdir(parents=True, exist_ok=True)
    save_file(tensors, begun / "state.safetensors")
    (begun / "state.json").write_text(json.dumps(tree), encoding="utf-8")
    begun.replace(place)  # whole, or not there at all
    checkpoints.keep_newest(out / "checkpoints", 2)
    events.checkpoint(step, f"checkpoints/{step}")


def load_checkpoint(folder: Path | None, learned: list[Any], optimizer: Any) -> int:
    """The step that a checkpoint was saved after, with everything as it was then; 0 without one."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if folder is None:
        return 0
    try:
        tree = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        state = checkpoints.unpack(tree, load_file(folder / "state.safetensors"))
        optimizer.load_state_dict(state["optimizer"])
        with torch.no_grad():
            for one, kept in zip(learned, state["learned"], strict=True):
                one.copy_(kept)
        return int(state["step"])
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        text = f"The checkpoint's state.safetensors cannot be used: {error}"
        fail("checkpoint_unreadable", text, file="state.safetensors", reason=str(error))


if __name__ == "__main__":
    entry.run(main, __doc__)
