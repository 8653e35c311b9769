"""The estimate of memory before a training against what it then held, for SFT-Demo in sixteen configurations.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/memory.py [--base FOLDER] [--steps 3]

Needs no demo: without --base a random model of the Llama family with 69 million weights is made. Each training is run
as an agent runs it, by the runner, which looks at the memory of the process every half second. All rows have as many
tokens as they may have, and the estimate is told so: what is compared is the formula, not a guess at lengths. Exits
with 1 when one is further off than the mark.
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
from control_plane.domain.estimates import CHARACTERS_PER_TOKEN, Rows, Training
from method_environments import ROOT, method_python
from method_support import environment

MARK = 0.15
METHOD = "sft_demo"
ANSWER = 24  # tokens
ROWS = 32
# precision, rank, batch, length, checkpointing
CONFIGURATIONS = [
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
    parser.add_argument("--configurations", default="", help="Numbers with commas between; all of them if left out.")
    given = parser.parse_args()
    manifest = tomllib.loads((ROOT / "methods" / METHOD / "method.toml").read_text())
    training = Training(**manifest["resources"]["training"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = given.base or folder / "base"
        if given.base is None:
            python("-c", MIDDLE, base)
        shape = estimates.shape_of(json.loads(python("-c", DESCRIBE, base)))
        print(f"{shape.parameters / 1e6:.0f} million weights, {shape.layers} layers, {shape.hidden} wide")
        print("precision  rank batch length checkpointing  estimated  measured  estimated / measured  seconds")
        ratios = []
        wanted = [int(one) for one in given.configurations.split(",") if one] or range(1, len(CONFIGURATIONS) + 1)
        for number in wanted:
            one = CONFIGURATIONS[number - 1]
            parameters = asked(one, given.steps)
            guess = estimates.estimate(shape, training, parameters, rows_of(one[3]))
            begun = time.monotonic()
            peak = measured(folder / str(number), base, parameters)
            ratios.append(guess.memory / peak)
            precision, rank, batch, length, again = one
            print(
                f"{precision:<10} {rank:>4} {batch:>5} {length:>6} {'yes' if again else 'no':>13}"
                f"  {guess.memory / 1e6:>6.0f} MB {peak / 1e6:>6.0f} MB  {ratios[-1]:>20.3f}"
                f"  {time.monotonic() - begun:>7.0f}",
                flush=True,
            )
    within = sum(abs(one - 1) <= MARK for one in ratios)
    print(f"{within} of {len(ratios)} within {MARK:.0%}; furthest {max(ratios, key=lambda one: abs(one - 1)):.3f}")
    sys.exit(within < len(ratios))


def asked(configuration, steps):
    """The complete parameters of a job."""
    example = json.loads((ROOT / "methods" / METHOD / "example.json").read_text())["parameters"]
    precision, rank, batch, length, again = configuration
    return example | {
        "steps": steps, "precision": precision, "lora_rank": rank, "batch_size": batch, "max_length": length,
        "gradient_checkpointing": again, "held_out_rows": 0, "checkpoint_every": 0,
    }  # fmt: skip


def rows_of(length):
    """What the control plane would know of rows that fill `length` tokens."""
    return Rows(
        ROWS,
        int(CHARACTERS_PER_TOKEN * length),
        int(CHARACTERS_PER_TOKEN * length),
        round(CHARACTERS_PER_TOKEN * (ANSWER - 2)),
    )


def measured(folder, base, parameters):
    """The most memory that the training held, in bytes."""
    folder.mkdir()
    chance = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz "
    with (folder / "train.jsonl").open("w") as file:
        for _ in range(ROWS):
            prompt = "".join(chance.choice(letters) for _ in range(8 * parameters["max_length"]))
            answer = "".join(chance.choice(letters) for _ in range(ANSWER - 2))
            file.write(json.dumps({"prompt": prompt, "completion": answer}) + "\n")
    rows = {"kind": "dataset", "format": "prompt_completion", "train": str(folder / "train.jsonl"), "test": None}
    inputs = {"base": {"kind": "model", "form": "base", "path": str(base)}, "dataset": rows}
    job = {"method": METHOD, "parameters": parameters, "inputs": inputs, "seed": 1, "devices": ["cpu:0"], "threads": 2}
    (folder / "job.json").write_text(json.dumps(job))
    entry = ROOT / "methods" / METHOD / "train.py"
    command = [method_python(METHOD), entry, "--job", folder / "job.json", "--out", folder / "out"]
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
    command = [str(method_python(METHOD)), *map(str, arguments)]
    return subprocess.run(command, env=environment(), check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
