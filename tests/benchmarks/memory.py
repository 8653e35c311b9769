"""The estimate of memory before a training against what it then held, for SFT-Demo in sixteen configurations.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/memory.py [--base FOLDER] [--steps 3] [--method ppo]

Needs no demo: without --base a random model of the Llama family with 69 million weights is made. Each training is run
as an agent runs it, by the runner, which looks at the memory of the process every half second. All rows have as many
tokens as they may have, and the estimate is told so: what is compared is the formula, not a guess at lengths. Exits
with 1 when one is further off than the mark. With --method: some configurations of another one.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from agent.attempts import runner
from control_plane.domain import estimates
from control_plane.domain.estimates import CHARACTERS_PER_TOKEN, TEMPLATE_TOKENS, Rows, Training
from method_environments import ROOT, method_python
from method_support import environment

MARK = 0.15
ANSWER = 24  # tokens
TEMPLATE = 19  # tokens that the template of the random model adds to a question
ROWS = 32
SAME = {"held_out_rows": 0, "checkpoint_every": 0}
SUPERVISED = [  # precision, rank, batch, length, checkpointing
    ("bfloat16", 16, 8, 128, False),
    ("bfloat16", 16, 8, 256, False),
    ("bfloat16", 16, 8, 512, False),
    ("bfloat16", 16, 4, 1024, False),
    ("bfloat16", 16, 2, 512, False),
    ("bfloat16", 64, 8, 256, False),
    ("bfloat16", 128, 4, 512, False),
    ("bfloat16", 4, 8, 512, False),
    ("bfloat16", 16, 8, 512, True),
    ("bfloat16", 64, 8, 1024, True),
    ("float32", 16, 8, 128, False),
    ("float32", 16, 8, 256, False),
    ("float32", 16, 4, 512, False),
    ("float32", 64, 4, 512, False),
    ("float32", 16, 8, 512, True),
    ("float32", 16, 2, 256, False),
]
REINFORCEMENT = [  # precision, prompts, answers to each, tokens of a prompt, of an answer, checkpointing
    ("bfloat16", 2, 8, 128, 64, False),
    ("bfloat16", 4, 8, 256, 128, False),
    ("float32", 2, 8, 128, 64, False),
    ("bfloat16", 2, 8, 256, 64, True),
]
PPO = [  # precision, prompts, parts, tokens of a prompt, of an answer
    ("bfloat16", 16, 2, 128, 40),
    ("bfloat16", 32, 4, 128, 96),
    ("float32", 16, 2, 256, 40),
]
NAMES = ("precision", "lora_rank", "batch_size", "max_length", "gradient_checkpointing")
OF_REINFORCEMENT = (
    "precision", "prompts_per_step", "group_size", "prompt", "max_new_tokens", "gradient_checkpointing",
)  # fmt: skip
OF_PPO = ("precision", "prompts_per_step", "parts", "prompt", "max_new_tokens")
CONFIGURATIONS = {
    "sft_demo": (NAMES, SUPERVISED),
    "custom01": (NAMES[:4], [("bfloat16", 16, 8, 128), ("bfloat16", 16, 4, 512), ("float32", 16, 8, 256)]),
    "custom02": (NAMES, [("bfloat16", 16, 8, 128, False), ("float32", 16, 4, 512, False)]),
    "mlx_demo": (NAMES, [("float32", 16, 2, 128, False), ("float32", 16, 4, 256, False)]),
    "grpo_demo": (OF_REINFORCEMENT, REINFORCEMENT),
    "ppo": (OF_PPO, PPO),
}
MIDDLE = """
import sys, torch
from transformers import LlamaConfig, LlamaForCausalLM
from kit import tiny_model
words = tiny_model.tokenizer()
config = LlamaConfig(
    vocab_size=32768, hidden_size=512, intermediate_size=1408, num_hidden_layers=12, num_attention_heads=8,
    num_key_value_heads=4, max_position_embeddings=2048, bos_token_id=words.bos_token_id,
    eos_token_id=words.eos_token_id, pad_token_id=words.pad_token_id)
torch.manual_seed(0)
LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(sys.argv[1])
words.save_pretrained(sys.argv[1])
"""
DESCRIBE = (
    "import sys, json, pathlib; from kit import models; print(json.dumps(models.describe(pathlib.Path(sys.argv[1]))))"
)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", type=Path)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--method", default="sft_demo", choices=sorted(CONFIGURATIONS))
    parser.add_argument("--configurations", default="", help="Numbers with commas between; all of them if left out.")
    given = parser.parse_args()
    manifest = tomllib.loads((ROOT / "methods" / given.method / "method.toml").read_text())
    training = Training(**manifest["resources"]["training"])
    names, known = CONFIGURATIONS[given.method]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = given.base or folder / "base"
        if given.base is None:
            python("-c", MIDDLE, base)
        shape = estimates.shape_of(json.loads(python("-c", DESCRIBE, base)))
        print(f"{given.method}: {shape.parameters / 1e6:.0f} million weights, {shape.layers} layers of {shape.hidden}")
        print(", ".join(names), "| estimated, measured, estimated / measured, seconds")
        ratios = []
        for number in [int(one) for one in given.configurations.split(",") if one] or range(1, len(known) + 1):
            asked = dict(zip(names, known[number - 1], strict=True))
            length = asked.get("max_length") or asked.pop("prompt")
            parameters = complete(given.method, given.steps, asked)
            guess = estimates.estimate(shape, training, parameters, rows_of(length, parameters))
            begun = time.monotonic()
            peak = measured(folder / str(number), base, given.method, parameters, length)
            ratios.append(guess.memory / peak)
            print(
                ", ".join(map(str, known[number - 1])), "|",
                f"{guess.memory / 1e6:.0f} MB, {peak / 1e6:.0f} MB, {ratios[-1]:.3f}, {time.monotonic() - begun:.0f}",
                flush=True,
            )  # fmt: skip
    within = sum(abs(one - 1) <= MARK for one in ratios)
    print(f"{within} of {len(ratios)} within {MARK:.0%}; furthest {max(ratios, key=lambda one: abs(one - 1)):.3f}")
    sys.exit(within < len(ratios))


def complete(method, steps, asked):
    """The complete parameters of a job."""
    example = json.loads((ROOT / "methods" / method / "example.json").read_text())["parameters"]
    same = {name: value for name, value in SAME.items() if name in example}
    return example | same | {"steps": steps} | asked


def rows_of(length, parameters):
    """What the control plane would know of rows that fill `length` tokens, or whose questions do."""
    tokens = length if "max_length" in parameters else length - TEMPLATE_TOKENS
    characters = int(CHARACTERS_PER_TOKEN * tokens)
    return Rows(ROWS, characters, characters, round(CHARACTERS_PER_TOKEN * (ANSWER - 2)))


def measured(folder, base, method, parameters, length):
    """The most memory that the training held, in bytes."""
    folder.mkdir()
    chance = random.Random(0)
    letters = "zjqxZJQX"  # each a token of its own
    asked = 2 * length if "max_length" in parameters else length - TEMPLATE
    with (folder / "train.jsonl").open("w") as file:
        for _ in range(ROWS):
            prompt = "".join(chance.choice(letters) for _ in range(asked))
            answer = "".join(chance.choice(letters) for _ in range(ANSWER - 2))
            file.write(json.dumps({"prompt": prompt, "completion": answer}) + "\n")
    rows = {"kind": "dataset", "format": "prompt_completion", "train": str(folder / "train.jsonl"), "test": None}
    inputs = {"base": {"kind": "model", "form": "base", "path": str(base)}, "dataset": rows}
    job = {"method": method, "parameters": parameters, "inputs": inputs, "seed": 1, "devices": ["cpu:0"], "threads": 2}
    (folder / "job.json").write_text(json.dumps(job))
    entry = ROOT / "methods" / method / "train.py"
    command = [method_python(method), entry, "--job", folder / "job.json", "--out", folder / "out"]
    spec = {
        "argv": [str(one) for one in command],
        "cwd": str(folder), "env": environment(), "stdout": str(folder / "stdout"), "stderr": str(folder / "stderr"),
        "grace_seconds": 1,
    }  # fmt: skip
    (folder / "spec.json").write_text(json.dumps(spec))
    subprocess.run([sys.executable, "-I", "-S", runner.__file__, str(folder)], check=True)
    end = json.loads((folder / "exit.json").read_text())
    if end["status"] or end["signal"]:
        sys.exit((folder / "stderr").read_text()[-2000:])
    return end["peak_bytes"]


def python(*arguments):
    """Run something in the method's environment; what it printed."""
    command = [str(method_python("sft_demo")), *map(str, arguments)]
    return subprocess.run(command, env=environment(), check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
