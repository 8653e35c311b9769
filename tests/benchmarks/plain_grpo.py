"""The reward benchmark's training as a plain TRL script: GRPOTrainer as its documentation shows it, the same checks.

    PYTHONPATH=methods python tests/benchmarks/plain_grpo.py --job job.json --out plain.json

Writes {"rewards": [...], "step_seconds": [...]} as TRL logs them.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from datasets import Dataset
from kit.checking import Case
from kit.judging import Judged
from peft import LoraConfig
from plain_trl import Stopwatch
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import GRPOConfig, GRPOTrainer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--job", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    job = json.loads(given.job.read_text())
    chosen, base = job["parameters"], job["inputs"]["base"]["path"]
    torch.set_num_threads(job["threads"])
    judged = Judged(chosen["reward"])
    rows = [json.loads(line) for line in Path(job["inputs"]["dataset"]["train"]).read_text().splitlines()]
    asked = [{"prompt": [{"role": "user", "content": row["prompt"]}], "expected": row["completion"]} for row in rows]

    def checks(completions, expected, **_):
        pairs = zip(completions, expected, strict=True)
        return [judged.judge(answer[0]["content"], Case("", wanted)).total for answer, wanted in pairs]

    stopwatch = Stopwatch()
    trainer = GRPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16),
        processing_class=AutoTokenizer.from_pretrained(base),
        reward_funcs=[checks],
        train_dataset=Dataset.from_list(asked),
        args=GRPOConfig(
            output_dir=str(given.out.parent / "plain"), seed=job["seed"], data_seed=job["seed"],
            max_steps=chosen["steps"], per_device_train_batch_size=chosen["prompts_per_step"] * chosen["group_size"],
            num_generations=chosen["group_size"], max_completion_length=chosen["max_new_tokens"], beta=chosen["beta"],
            temperature=chosen["temperature"], learning_rate=chosen["learning_rate"], lr_scheduler_type="constant",
            logging_steps=1, save_strategy="no", use_cpu=True, bf16=False, gradient_checkpointing=False,
            report_to="none",
        ),
        peft_config=LoraConfig(
            r=chosen["lora_rank"], lora_alpha=chosen["lora_alpha"], target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        callbacks=[stopwatch],
    )  # fmt: skip
    trainer.train()
    rewards = [entry["reward"] for entry in trainer.state.log_history if "reward" in entry]
    given.out.write_text(json.dumps({"rewards": rewards, "step_seconds": stopwatch.seconds}))


if __name__ == "__main__":
    main()
