"""A large file of rows checked, deduplicated, divided and stored, beside `datasets` and DuckDB on the same file.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/data.py [--rows 1000000] [--rounds 3] [--duckdb PYTHON]

Ours is the process that prepares a version (`control_plane.preparation`, step save, with every check) and the storing
of what it made; the step check by itself is measured, too. `datasets` (from the environment of the method SFT) loads
the file, makes a key of each row with map, filters by it, divides and writes both parts; it does no other check. DuckDB
alone (`--duckdb`: an interpreter that has it) reads, takes distinct rows and writes them. Each is a process of its own;
its peak memory is what the system says of it, mapped files included. Both take turns, and the median of the rounds
counts. Then a control plane prepares the same file and is asked for pages meanwhile (`data_service.py`; not with
`--alone`). Exits with 1 when a mark is missed.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import data_service

from control_plane.blobs import Blobs
from control_plane.domain.preparation import Limits, Order, Report, Source, Split, Step, read, told
from control_plane.services.datasets import row_index, saving
from method_environments import method_python

SPEED_MARK = 1.0  # of the seconds that `datasets` takes
MEMORY_MARK = 400  # MB
SEED = 42
SHARE = 0.2
COPIES, NEAR_COPIES = 0.05, 0.05  # of the rows
DATASETS = """
import hashlib, json, sys
from datasets import disable_progress_bars, load_dataset
disable_progress_bars()
file, folder = sys.argv[1:]
rows = load_dataset("json", data_files=file, split="train", cache_dir=folder + "/cache")

def keyed(batch):
    pairs = zip(batch["prompt"], batch["completion"])
    return {"key": [hashlib.sha256(json.dumps(pair).encode()).digest()[:16] for pair in pairs]}

seen = set()

def is_new(batch):
    told = []
    for key in batch["key"]:
        told.append(key not in seen)
        seen.add(key)
    return told

rows = rows.map(keyed, batched=True).filter(is_new, batched=True).remove_columns("key")
parts = rows.train_test_split(test_size=0.2, seed=42)
for name in ("train", "test"):
    parts[name].to_json(f"{folder}/{name}.jsonl", force_ascii=False)
print(len(parts["train"]) + len(parts["test"]))
"""
DUCKDB = """
import sys, duckdb
file, folder = sys.argv[1:]
database = duckdb.connect(folder + "/rows.duckdb")
database.execute("create table rows as select distinct prompt, completion from read_json(?)", [file])
database.execute(f"copy rows to '{folder}/rows.jsonl' (format json)")
print(database.execute("select count(*) from rows").fetchone()[0])
"""


@dataclass
class Store:
    """What of a control plane storing takes."""

    blobs: Blobs


@dataclass
class Run:
    """What a process took."""

    seconds: float
    computing: float  # seconds of all its threads
    megabytes: float  # at its peak
    said: str


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1, help="Of ours and `datasets`, in turns.")
    parser.add_argument("--alone", action="store_true", help="Without the control plane.")
    parser.add_argument("--duckdb", type=Path, help="An interpreter that has duckdb; without one it is left out.")
    parser.add_argument("--file", type=Path, help="Rows that were written before; else they are written now.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = given.file or folder / "rows.jsonl"
        if not file.exists():
            write(file, given.rows)
        print(f"{given.rows} rows, {file.stat().st_size / 1e6:.0f} MB")
        check, _ = prepare(folder, file, Step.CHECK)
        show("ours, the check alone", check)
        ours, peers = list[Run](), list[Run]()
        for _ in range(given.rounds):
            run, report = prepare(folder, file, Step.SAVE)
            show("ours, checked and stored", run)
            ours.append(run)
            peers.append(beside(folder, "datasets", [str(method_python("sft")), "-c", DATASETS, str(file)]))
            show("datasets: load, map, filter, divide, write", peers[-1])
        kept = report.train_rows + report.test_rows
        print("found:", {one.check: one.count for one in report.findings if one.count}, f"kept: {kept}")
        if given.duckdb:
            show("DuckDB alone: distinct rows", beside(folder, "duckdb", [str(given.duckdb), "-c", DUCKDB, str(file)]))
        ratio, computing = of_medians(ours, peers, "seconds"), of_medians(ours, peers, "computing")
        memory = max(run.megabytes for run in (check, *ours))
        print(f"ours / datasets: {ratio:.2f} (mark {SPEED_MARK}), of computing {computing:.2f}")
        print(f"peak {memory:.0f} MB (mark {MEMORY_MARK})")
        answers = given.alone or data_service.measure(file, given.rows, folder / "service")
        sys.exit(ratio > SPEED_MARK or memory > MEMORY_MARK or not answers)


def of_medians(ours: list[Run], peers: list[Run], of: str) -> float:
    """How much ours takes of what the peer does."""
    return statistics.median(getattr(run, of) for run in ours) / statistics.median(getattr(run, of) for run in peers)


def write(file: Path, count: int) -> None:
    """Rows of about a kilobyte; some are copies of earlier ones, some nearly, some name a mail address."""
    chance = random.Random(SEED)
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(20_000)]
    words += ["the", "of", "and", "to", "in", "is", "that", "it", "was", "for", "on", "with"] * 600
    sentences = [" ".join(chance.choices(words, k=14)) + "." for _ in range(20_000)]
    earlier: list[dict[str, str]] = []
    with file.open("w", encoding="utf-8") as rows:
        for number in range(count):
            kind = chance.random()
            if earlier and kind < COPIES:
                row = chance.choice(earlier)
            elif earlier and kind < COPIES + NEAR_COPIES:
                row = chance.choice(earlier)
                row = {**row, "completion": f"{row['completion']} {number}"}
            else:
                row = {
                    "prompt": " ".join(chance.choices(sentences, k=9)),
                    "completion": " ".join(chance.choices(sentences, k=4)),
                }
                if kind > 0.98:
                    row["prompt"] += f" Ask {chance.choice(words)}@{chance.choice(words)}.com."
                earlier = [*earlier[-999:], row] if number % 50 == 0 else earlier
            rows.write(json.dumps(row) + "\n")


def prepare(folder: Path, file: Path, step: Step) -> tuple[Run, Report]:
    """Our process with one step; what it saves is stored as a version's files are."""
    place = folder / step
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    source = Source(file.name, str(file))
    order = Order(step, source, Limits(1 << 24, 1 << 40), split=Split(SHARE, SEED))
    (place / "order.json").write_text(json.dumps(told(order)))
    run = measured([sys.executable, "-P", "-m", "control_plane.preparation", str(place)])
    start, cpu = time.monotonic(), time.process_time()
    store = Store(Blobs(folder / "blobs"))
    for name in ("train", "test", "left_out", "marks"):
        if sha256 := saving.blob(store, place / name):
            row_index.ensure(store, sha256)
    run.seconds += time.monotonic() - start
    run.computing += time.process_time() - cpu
    return run, read(Report, json.loads((place / "report.json").read_bytes()))


def beside(folder: Path, name: str, command: list[str]) -> Run:
    """A peer with a folder of its own."""
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    return measured([*command, str(place)])


def measured(command: list[str]) -> Run:
    """Run a process to its end."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    start = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        output.seek(0)
        said = output.read().decode("utf-8", "replace")
    if process.returncode:
        sys.exit(f"{command[:3]} ended with {process.returncode}:\n{said[-3000:]}")
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, said.strip().rsplit("\n", 1)[-1])


def show(name: str, run: Run) -> None:
    print(
        f"{name}: {run.seconds:.1f} s, {run.computing:.1f} s of computing, peak {run.megabytes:.0f} MB; {run.said[:60]}"
    )


if __name__ == "__main__":
    main()
