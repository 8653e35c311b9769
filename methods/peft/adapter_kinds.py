"""The kinds of adapter that PEFT knows and that can be chosen: what each is made of, and what it asks for."""

from typing import Any

from kit import models
from kit.events import fail
from kit.job import Job

LOW_RANK = frozenset({"lora", "qlora", "dora", "rslora"})
PROMPTS = frozenset({"prefix", "prompt", "p_tuning"})  # something in front of the input: no weights to merge into
NOT_MERGEABLE = "adapter_not_mergeable"  # their `packaging_problem`


def check(job: Job) -> None:
    """Refuse what the chosen kind cannot do, before anything is loaded.

    Codes: ``qlora_needs_cuda``, ``packing_not_with_prompts``, ``prefix_keeps_memory``.
    """
    kind = job.parameters["adapter"]
    if kind == "qlora" and not job.devices[0].startswith("cuda"):
        text = "QLoRA computes with 4-bit weights, for which there are only programs for NVIDIA GPUs (CUDA) here."
        fail("qlora_needs_cuda", text)
    if kind in PROMPTS and job.parameters["packing"]:
        fail(
            "packing_not_with_prompts",
            "A learned prompt stands before each row, so a row holds one example: no packing.",
        )
    if kind == "prefix" and job.parameters["gradient_checkpointing"]:
        fail(
            "prefix_keeps_memory", "Prefix tuning cannot compute intermediate results again: no gradient checkpointing."
        )


def load(job: Job) -> tuple[Any, Any]:
    """The base model and its tokenizer; for QLoRA in 4 bits on its GPU, otherwise as ever."""
    if job.parameters["adapter"] != "qlora":
        return models.load_base(job.models["base"], job.parameters["precision"])
    import torch
    from peft import prepare_model_for_kbit_training
    from transformers import BitsAndBytesConfig

    narrow = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16,
    )  # fmt: skip
    loaded, tokenizer = models.load_base(job.models["base"], "auto", quantization_config=narrow, device_map={"": 0})
    again = job.parameters["gradient_checkpointing"]
    return prepare_model_for_kbit_training(loaded, use_gradient_checkpointing=again), tokenizer


def dress(model: Any, tokenizer: Any, job: Job, reference: str) -> Any:
    """Freeze the base model and add the chosen adapter, kept in float32.

    ``reference`` is what the adapter will say that its base is: PEFT would write this machine's path. Refuses with
    ``adapter_architecture_unknown`` where PEFT does not know which layers of this model the adapter belongs to.
    """
    from peft import get_peft_model

    try:
        adapted = get_peft_model(model, _configuration(job))
    except ValueError as error:
        if "target_modules" not in str(error):
            raise
        kind = type(model).__name__
        text = f"This kind of adapter is not known for models of the architecture {kind}; LoRA works with each."
        fail("adapter_architecture_unknown", text, architecture=kind)
    if job.parameters["adapter"] == "prompt":
        _begin_with(adapted, model, tokenizer, job.parameters["prompt_text"])
    adapted.peft_config["default"].base_model_name_or_path = reference
    return adapted


def _configuration(job: Job) -> Any:
    import peft

    given = job.parameters
    kind = given["adapter"]
    if kind in LOW_RANK:
        return peft.LoraConfig(
            r=given["lora_rank"], lora_alpha=given["lora_alpha"], lora_dropout=given["lora_dropout"],
            use_dora=kind == "dora", use_rslora=kind == "rslora", target_modules="all-linear", task_type="CAUSAL_LM",
        )  # fmt: skip
    if kind == "ia3":
        return peft.IA3Config(task_type="CAUSAL_LM")
    length = {"num_virtual_tokens": given["virtual_tokens"], "task_type": "CAUSAL_LM"}
    if kind == "prefix":
        return peft.PrefixTuningConfig(**length)
    if kind == "prompt":
        return peft.PromptTuningConfig(**length)
    return peft.PromptEncoderConfig(**length, encoder_hidden_size=given["encoder_size"])


def _begin_with(adapted: Any, model: Any, tokenizer: Any, text: str) -> None:
    """Let a prompt begin as the words of a text, repeated to its length, or as words drawn by chance.

    Numbers that are no words, PEFT's own beginning, are further from anything that the model has seen.
    """
    import torch

    prompt = adapted.prompt_encoder["default"].embedding.weight
    words = model.get_input_embeddings()
    ids = tokenizer(text, add_special_tokens=False)["input_ids"] if text.strip() else []
    chosen = (ids * (len(prompt) // len(ids) + 1))[: len(prompt)] if ids else None
    drawn = torch.randint(len(words.weight), (len(prompt),)) if chosen is None else torch.tensor(chosen)
    prompt.data.copy_(words.weight[drawn.to(words.weight.device)].detach().float())
