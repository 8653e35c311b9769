"""Answers of models: loading those that take part, and letting one write, a batch at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kit import lengths, models
from kit.job import Job, Model


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


def written(
    model: Any, tokenizer: Any, prompts: list[str], longest: int, size: int, temperature: float = 0.0
) -> Iterator[tuple[list[str], list[bool]]]:
    """Generate, a batch at a time, padded on the left so that every prompt ends where its answer begins.

    At temperature 0 the likeliest token is taken each time. Yields each batch's texts, and which of them were cut after
    ``longest`` tokens.
    """
    import torch

    chosen: tuple[Any, ...] = (True, temperature, 1.0, 0) if temperature > 0 else (False, None, None, None)
    how = dict(zip(("do_sample", "temperature", "top_p", "top_k"), chosen, strict=True))
    tokenizer.padding_side = "left"
    final = ends(model, tokenizer)
    for start in range(0, len(prompts), size):
        batch = tokenizer(prompts[start : start + size], return_tensors="pt", padding=True, add_special_tokens=False)
        batch = {name: batch[name].to(model.device) for name in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            ids = model.generate(
                **batch, max_new_tokens=longest, **how,
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
