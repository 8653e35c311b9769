"""The shipped case's rows as questions that say what is wanted, and what base and result answer to held-out ones."""

import json

from by_hand import dataset, method, model, rows, write

from control_plane.domain import verdict

KEYS = ("machine", "part", "fault", "priority")
LISTED = ("fault", "priority")  # keys with few values
ASK = (
    ' Answer with one JSON object and nothing else, with the keys "machine", "part", "fault" and "priority", for '
    'example {{"machine": "press 3", "part": "valve", "fault": "leak", "priority": "low"}}. fault is one of: {fault}. '
    "priority is one of: {priority}."
)


def values():
    """The values that each listed key may have."""
    answers = [json.loads(row["completion"]) for row in rows("train")]
    return {key: sorted({answer[key] for answer in answers}) for key in LISTED}


def schema():
    """The JSON Schema of an answer."""
    allowed = values()
    properties = {key: {"enum": allowed[key]} if key in allowed else {"type": "string"} for key in KEYS}
    return {"type": "object", "required": list(KEYS), "additionalProperties": False, "properties": properties}


def written(folder, is_told):
    """The case's files as a dataset; `is_told` says whether questions tell what an answer looks like."""
    ask = ASK.format(**{key: ", ".join(found) for key, found in values().items()}) if is_told else ""
    files = [
        write(folder / f"{part}-{is_told}.jsonl", [row | {"prompt": row["prompt"] + ask} for row in rows(part)])
        for part in ("train", "test")
    ]
    return dataset(*files)


def compare(folder, base, adapter, asked, count, threads):
    """Let base and result answer so many held-out questions; print each metric, with intervals, and the difference."""
    job = {
        "inputs": {"baseline": model(base), "candidate": model(adapter, base), "dataset": asked},
        "parameters": {"rows": count, "max_new_tokens": 0, "batch_size": 32, "schema": schema(),
                       "checks": [{"check": "json_fields", "parameters": {}}]},
    }  # fmt: skip
    method("evaluate", job, folder, threads)
    for metric, scores in json.loads((folder / "evaluation.json").read_text())["metrics"].items():
        for name, found in scores.items():
            share = verdict.score(found)
            print(
                f"{metric:<14} {name:<10} {share.value:.3f} ({share.low:.3f} to {share.high:.3f}) of {len(found)} rows"
            )
        gain = verdict.difference(scores["candidate"], scores["baseline"])
        print(f"{metric:<14} difference {gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})", flush=True)
