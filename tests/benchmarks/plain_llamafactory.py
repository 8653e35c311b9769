"""The demo's training by LLaMA-Factory: what a reader of its documentation would configure, and nothing of ours.

    PYTHON plain_llamafactory.py --base FOLDER --train train.jsonl --parameters JSON --seed N --out losses.json

PYTHON is that of an environment which has `llamafactory`. Writes {"losses": [...], "step_seconds": [...]}.
"""

import argparse
import json
import shutil
import sys
import time
import types
from pathlib import Path

from transformers import TrainerCallback

# it imports this for rows with sound; as released it is built for CUDA, and does not load beside a CPU torch
sys.modules["torchaudio"] = types.ModuleType("torchaudio")


class Watch(TrainerCallback):
    """The seconds between the ends of two steps, and the losses as they are logged."""

    def __init__(self):
        self.seconds, self.losses = [], []

    def on_train_begin(self, args, state, control, **_):
        self.since = time.perf_counter()

    def on_step_end(self, args, state, control, **_):
        now = time.perf_counter()
        self.seconds.append(now - self.since)
        self.since = now

    def on_log(self, args, state, control, logs=None, **_):
        if "loss" in (logs or {}):
            self.losses.append(logs["loss"])


def main():
    from llamafactory.train.tuner import run_exp

    parser = argparse.ArgumentParser()
    for name in ("base", "train", "parameters", "out"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args()
    chosen = json.loads(given.parameters)
    folder = Path(given.out).parent / "llamafactory"
    shutil.rmtree(folder, ignore_errors=True)  # it refuses to write over what it has written
    folder.mkdir()
    rows = [json.loads(line) for line in Path(given.train).read_text().splitlines()]
    alpaca = [{"instruction": row["prompt"], "input": "", "output": row["completion"]} for row in rows]
    (folder / "rows.json").write_text(json.dumps(alpaca))
    (folder / "dataset_info.json").write_text(json.dumps({"rows": {"file_name": "rows.json"}}))
    watch = Watch()
    run_exp(
        {
            "stage": "sft", "do_train": True, "model_name_or_path": given.base, "finetuning_type": "lora",
            "lora_rank": chosen["lora_rank"], "lora_alpha": chosen["lora_alpha"], "lora_target": "all",
            "lora_dropout": 0.0, "dataset": "rows", "dataset_dir": str(folder), "template": "smollm2",
            "cutoff_len": chosen["max_length"], "overwrite_cache": True, "bf16": True, "use_cpu": True,
            "disable_gradient_checkpointing": True, "per_device_train_batch_size": chosen["batch_size"],
            "gradient_accumulation_steps": 1, "learning_rate": chosen["learning_rate"], "max_steps": chosen["steps"],
            "lr_scheduler_type": chosen["schedule"], "logging_steps": 1, "save_strategy": "no", "report_to": "none",
            "seed": given.seed, "data_seed": given.seed, "output_dir": str(folder / "out"),
        },
        callbacks=[watch],
    )  # fmt: skip
    Path(given.out).write_text(json.dumps({"losses": watch.losses, "step_seconds": watch.seconds}))


if __name__ == "__main__":
    main()
