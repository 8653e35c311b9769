"""One replica's serving engine: llama.cpp behind an OpenAI-compatible HTTP server on loopback.

    python engine.py <replica folder>

Run by the interpreter of the engine's own environment; knows nothing of the agent. Reads `engine.json` (private:
model, name, context_length, slots, threads, api_key), holds `engine.lock` while it lives, and writes `ready.json`
with its address and pid once the port answers.
"""

import fcntl
import json
import os
import signal
import sys
from pathlib import Path

import xllamacpp


def main(folder: Path) -> None:
    """Serve until SIGTERM. Exits with 3 when another engine has this replica."""
    lock = os.open(folder / "engine.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(3)
    wanted = json.loads((folder / "engine.json").read_text())
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    server = xllamacpp.Server(parameters(wanted))
    ready = folder / "ready.partial"
    ready.write_text(json.dumps({"address": server.listening_address, "pid": os.getpid()}))
    ready.replace(folder / "ready.json")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os._exit(0)  # at once: open answers are cut, there is nothing to save


def parameters(wanted: dict) -> xllamacpp.CommonParams:
    """llama.cpp's parameters: `slots` requests at once, each with `context_length` tokens."""
    chosen = xllamacpp.CommonParams()
    chosen.model.path = wanted["model"]
    chosen.n_parallel = wanted["slots"]
    chosen.n_ctx = wanted["context_length"] * wanted["slots"]
    chosen.model_alias = {wanted["name"]}
    chosen.cache_ram_mib = 0  # the memory that a replica reserves knows nothing of a cache beside the slots
    chosen.hostnames = ["127.0.0.1"]
    chosen.port = 0
    chosen.api_keys = [wanted["api_key"]]
    chosen.cpuparams.n_threads = wanted["threads"]
    chosen.cpuparams_batch.n_threads = wanted["threads"]
    chosen.n_threads_http = wanted["slots"] + 4  # health checks and the next in the queue beside those that run
    return chosen


if __name__ == "__main__":
    main(Path(sys.argv[1]))
