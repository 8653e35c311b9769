"""The demo's training as a plain TRL script: what a reader of TRL's documentation would write, and nothing of ours.

    python tests/benchmarks/plain_trl.py --base FOLDER --train train.jsonl --parameters JSON --seed N --out losses.json

Writes {"losses": [...], "step_seconds": [...]} as TRL logs them.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer


class Stopwatch(TrainerCallback):
    """The seconds between the ends of two steps."""

    def __init__(self):
        self.seconds = []

    def on_train_begin(self, args, state, control, **_):
        self.since = time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        now = time.perf_counter()
        self.seconds.append(now - self.since)
        self.since = now


def main():
    parser = argparse.ArgumentParser()
    for name in ("base", "train", "parameters", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args()
    chosen = json.loads(given.parameters)
    rows = [json.loads(line) for line in Path(given.train).read_text().splitlines()]
    talks = [
        {
            "prompt": [{"role": "user", "content": row["prompt"]}],
            "completion": [{"role": "assistant", "content": row["completion"]}],
        }
        for row in rows
    ]
    stopwatch = Stopwatch()
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(given.base, dtype=torch.bfloat16),
        processing_class=AutoTokenizer.from_pretrained(given.base),
        train_dataset=Dataset.from_list(talks),
        args=SFTConfig(
            output_dir=str(Path(given.out).parent / "plain"), seed=given.seed, data_seed=given.seed,
            max_steps=chosen["steps"], per_device_train_batch_size=chosen["batch_size"],
            learning_rate=chosen["learning_rate"], lr_scheduler_type=chosen["schedule"], max_length=None,
            logging_steps=1, save_strategy="no", use_cpu=True, bf16=False, gradient_checkpointing=False,
            report_to="none",
        ),
        peft_config=LoraConfig(
            r=chosen["lora_rank"], lora_alpha=chosen["lora_alpha"], target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        callbacks=[stopwatch],
    )  # fmt: skip
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    Path(given.out).write_text(json.dumps({"losses": losses, "step_seconds": stopwatch.seconds}))


if __name__ == "__main__":
    main()
