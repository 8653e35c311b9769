"""What methods bring a small real model: held-out answers before and after, with intervals, and minutes.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/learning.py [lora] [dora] [prefix] [prompt] [ppo]
        [--base FOLDER] [--steps N] [--rows 64] [--threads N]

PEFT's kinds learn the shipped case from examples; PPO from checks alone, its questions telling what an answer looks
like. DPO's figures are preference.py's, GRPO's those of reinforcement.py. Without --base SmolLM2 is imported. No marks.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import answers
from by_hand import imported, method, model

ADAPTER = {
    "lora_dropout": 0.0, "virtual_tokens": 20, "prompt_text": "Write the report as a JSON record.", "encoder_size": 128,
    "run_for": "steps", "epochs": 1, "steps": 60, "batch_size": 8, "max_length": 256, "learn_from": "completion",
    "schedule": "cosine", "warmup_steps": 5, "accumulation": 1, "packing": False, "weight_decay": 0.0,
    "max_grad_norm": 1.0, "precision": "bfloat16", "gradient_checkpointing": False, "lora_rank": 16, "lora_alpha": 32,
    "held_out_rows": 0, "held_out_percent": 0, "held_out_every": 0, "samples": 0, "early_stopping": 0,
    "keep_best": False, "checkpoint_every": 0,
}  # fmt: skip
RATES = {"lora": 0.001, "dora": 0.001, "prefix": 0.01, "prompt": 0.05}
PPO = {
    "steps": 40, "prompts_per_step": 16, "max_new_tokens": 56, "learning_rate": 0.0002, "schedule": "constant",
    "temperature": 1.0, "rounds": 2, "parts": 2, "kl_penalty": 0.05, "clip": 0.2, "value_weight": 0.1,
    "precision": "bfloat16", "lora_rank": 16, "lora_alpha": 32, "checkpoint_every": 0,
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", default=[*RATES, "ppo"])
    parser.add_argument("--base", type=Path)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        base = (given.base or imported(Path(name))).resolve()
        for kind in given.kinds:
            learn(Path(name) / kind, base, kind, given)


def learn(folder, base, kind, given):
    folder.mkdir()
    learns_by_reward = kind == "ppo"
    asked = answers.written(folder, is_told=learns_by_reward)
    if learns_by_reward:
        checks = [("json_schema", {"schema": answers.schema()}), ("json_fields", {})]
        reward = [{"check": check, "weight": 1.0, "parameters": parameters} for check, parameters in checks]
        parameters = PPO | {"reward": reward}
    else:
        parameters = ADAPTER | {"adapter": kind, "learning_rate": RATES[kind]}
    parameters |= {"steps": given.steps or parameters["steps"]}
    job = {"parameters": parameters, "inputs": {"base": model(base), "dataset": asked}}
    begun = time.perf_counter()
    method("ppo" if learns_by_reward else "peft", job, folder / "out", given.threads)
    print(f"{kind}: {parameters['steps']} steps in {(time.perf_counter() - begun) / 60:.1f} min", flush=True)
    answers.compare(folder / "evaluation", base, folder / "out/adapter", asked, given.rows, given.threads)


if __name__ == "__main__":
    main()
