"""Make tiny random models and a few rows, to try a method by hand or in a test within seconds.

    PYTHONPATH=methods python -m kit.tiny_model FOLDER

writes FOLDER/llama and FOLDER/gpt_neox (complete models that know nothing) and rows to learn from and to test on:
FOLDER/train.jsonl and test.jsonl, pairs-….jsonl (preference) and judged-….jsonl (binary feedback).
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_COLOURS = ("red", "green", "blue", "white", "black", "yellow", "brown", "grey")
_THINGS = ("door", "lamp", "chair", "window", "table", "cup", "book", "bridge")


def write_rows(folder: Path) -> None:
    """Write 48 training and 16 test rows of each format; "The red door is open." → {"thing": "door", "colour": "red"}.

    The answer that is not wanted is a sentence; every second judged answer is one.
    """
    cases = [(colour, thing) for colour in _COLOURS for thing in _THINGS]
    for part, chosen in (("train", cases[16:]), ("test", cases[:16])):
        prompts = [f"The {colour} {thing} is open." for colour, thing in chosen]
        good = [json.dumps({"thing": thing, "colour": colour}) for colour, thing in chosen]
        bad = [f"The {thing} is {colour}." for colour, thing in chosen]
        pairs = zip(prompts, good, bad, strict=True)
        _write(folder / f"{part}.jsonl", "prompt completion", zip(prompts, good, strict=True))
        _write(folder / f"pairs-{part}.jsonl", "prompt chosen rejected", pairs)
        answers = zip(prompts, good, bad, strict=True)
        judged = [(ask, yes, True) if n % 2 else (ask, no, False) for n, (ask, yes, no) in enumerate(answers)]
        _write(folder / f"judged-{part}.jsonl", "prompt completion label", judged)


def _write(path: Path, names: str, rows: Iterable[tuple[Any, ...]]) -> None:
    objects = (json.dumps(dict(zip(names.split(), row, strict=True))) for row in rows)
    path.write_text("".join(f"{one}\n" for one in objects), encoding="utf-8")


def tokenizer() -> Any:
    """A byte-level tokenizer of 384 words, trained on the rows' own sentences, with a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=384, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    words.train_from_iterator([f'The {c} {t} is open. {{"thing": "colour"' for c in _COLOURS for t in _THINGS], trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token=special[0], eos_token=special[2], pad_token=special[0]
    )
    wrapped.chat_template = _TEMPLATE
    return wrapped


def write_model(architecture: str, folder: Path) -> None:
    """Write a random model of two layers, 64 wide; ``architecture`` is llama or gpt_neox."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    words = tokenizer()
    config = AutoConfig.for_model(
        architecture, vocab_size=len(words), hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, max_position_embeddings=256, bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
    words.save_pretrained(folder)


def main() -> None:
    """Write everything into the folder named by the only argument."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(folder)
    for architecture in ("llama", "gpt_neox"):
        write_model(architecture, folder / architecture)


if __name__ == "__main__":
    main()
