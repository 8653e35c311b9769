"""DPO as a plain TRL script: what a reader of TRL's documentation would write, and nothing of ours.

    python tests/benchmarks/plain_dpo.py --base FOLDER --train rows.jsonl --parameters JSON --seed N --out losses.json

Takes the rows in their order. Writes {"losses": [...], "step_seconds": [...]} as TRL logs them.
"""

import argparse
import json
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig
from plain_trl import Stopwatch
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer


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
            "chosen": [{"role": "assistant", "content": row["chosen"]}],
            "rejected": [{"role": "assistant", "content": row["rejected"]}],
        }
        for row in rows
    ]
    stopwatch = Stopwatch()
    trainer = DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(given.base, dtype=getattr(torch, chosen["precision"])),
        processing_class=AutoTokenizer.from_pretrained(given.base),
        train_dataset=Dataset.from_list(talks),
        args=DPOConfig(
            output_dir=str(Path(given.out).parent / "plain"), seed=given.seed, data_seed=given.seed,
            max_steps=chosen["steps"], per_device_train_batch_size=chosen["batch_size"], beta=chosen["beta"],
            learning_rate=chosen["learning_rate"], lr_scheduler_type=chosen["schedule"], logging_steps=1,
            train_sampling_strategy="sequential", max_length=None, weight_decay=0.0,
            save_strategy="no", use_cpu=True, bf16=False, gradient_checkpointing=False, report_to="none",
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
