"""The merged model's greedy answers by transformers, for parity.py, in the environment of `evaluate`.

    PYTHONPATH=methods python tests/benchmarks/greedy.py --job job.json --out answers.json

The job is one of the method evaluate with a `candidate`; writes {"answers": [...], "seconds": N}, row by row, unpadded.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from kit import datasets, job, models


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--job", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    asked = job.read(given.job)
    torch.set_num_threads(asked.threads)
    base, tokenizer = models.load_base(asked.models["candidate"])  # in its own precision, as the export merges it
    model = models.add_adapter(base, asked.models["candidate"]).merge_and_unload().eval()
    rows = datasets.read(asked.datasets["dataset"].test, "prompt_completion", "test")[: asked.parameters["rows"]]
    begun = time.perf_counter()
    answers = [answer(model, tokenizer, datasets.render_prompt(row, tokenizer), asked) for row in rows]
    given.out.write_text(json.dumps({"answers": answers, "seconds": time.perf_counter() - begun}))


def answer(model, tokenizer, prompt, asked):
    ids = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
    with torch.inference_mode():
        said = model.generate(**ids, max_new_tokens=asked.parameters["max_new_tokens"], do_sample=False,
                              temperature=None, top_p=None, pad_token_id=tokenizer.pad_token_id)  # fmt: skip
    return tokenizer.decode(said[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)


if __name__ == "__main__":
    main()
