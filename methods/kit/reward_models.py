"""Reward models (form ``reward``): a small addition to another model with a head that gives an answer one score.

Higher is better; only differences between answers to one prompt mean something.
"""

from collections.abc import Callable, Sequence
from typing import Any

from kit import datasets, models
from kit import job as jobs
from kit.datasets import Message, Row
from kit.events import fail

# (the messages before each answer, the answers) → a score of each answer
Scorer = Callable[[Sequence[list[Message]], Sequence[str]], list[float]]

_HEADS = ("score", "classifier")  # what transformers calls the head, by architecture
NOT_PACKAGED = "reward_not_packaged"  # the packaging problem on a reward model's card


def load_base(model: jobs.Model, dtype: str = "auto") -> tuple[Any, Any]:
    """A base or merged model, or what a reward model stands on, with a new head for one score: (model, tokenizer).

    The head is drawn from torch's random state and kept in float32. Refuses as `models.load_base` does, and with
    ``chat_template_missing`` or ``reward_architecture_unknown``.
    """
    from transformers import AutoConfig, AutoModelForSequenceClassification

    folder = (model.base or model).path
    architecture = (models.check_folder(folder).get("architectures") or ["?"])[0]
    tokenizer = models.load_tokenizer(folder)
    if not tokenizer.chat_template:
        text = "The base model has no chat template, so that nothing says where a question ends and its answer begins."
        fail("chat_template_missing", text)
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if type(config) not in AutoModelForSequenceClassification._model_mapping:
        text = f"Models of the architecture {architecture} cannot be given a head that scores."
        fail("reward_architecture_unknown", text, architecture=architecture)
    config.num_labels = 1
    config.get_text_config().pad_token_id = tokenizer.pad_token_id  # by it the end of each row is found
    loaded = AutoModelForSequenceClassification.from_pretrained(
        folder, config=config, dtype=models.quick(dtype), local_files_only=True, use_safetensors=True,
        trust_remote_code=False,
    )  # fmt: skip
    head = next(getattr(loaded, name) for name in _HEADS if hasattr(loaded, name))
    head.float().register_forward_pre_hook(_in_its_precision)
    return loaded, tokenizer


def scorer(model: jobs.Model, device: str = "cpu", dtype: str = "auto", size: int = 16) -> Scorer:
    """What scores answers by a reward model, `size` at a time on a torch device, each as if it were alone.

    Refuses as `load_base` does, and missing or pickled weights.
    """
    import torch

    loaded, tokenizer = load_base(model, dtype)
    judge = models.add_adapter(loaded, model).to(device).eval()
    longest = getattr(judge.config.get_text_config(), "max_position_embeddings", None) or 131_072

    def score(prompts: Sequence[list[Message]], answers: Sequence[str]) -> list[float]:
        rows = [Row(prompt, answer) for prompt, answer in zip(prompts, answers, strict=True)]
        encoded = enumerate(datasets.encoded(rows, tokenizer), 1) if rows else ()
        ids = [datasets.kept(number, prompt, len(answer), longest) + answer for number, (prompt, answer) in encoded]
        found: list[float] = []
        for start in range(0, len(ids), size):
            batch = tokenizer.pad({"input_ids": ids[start : start + size]}, padding_side="right", return_tensors="pt")
            with torch.inference_mode():
                scored = judge(**batch.to(device), use_cache=False).logits
            found += scored[:, 0].float().tolist()
        return found

    return score


def _in_its_precision(head: Any, given: tuple[Any, ...]) -> tuple[Any, ...]:
    """Before the head: what the model says, in the head's own numbers."""
    return (given[0].to(next(head.parameters()).dtype), *given[1:])
