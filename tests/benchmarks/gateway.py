"""What the gateway costs: the demo's deployment asked directly at llama.cpp and through the control plane.

    make demo && .venv/bin/python tests/benchmarks/gateway.py [--data .tunesmith] [--rounds 6]

Starts what is not running. At 1 and at 8 streams the two ways take turns; printed are tokens a second, the median time
to the first token, and the ratios with their marks. Exits with 1 when a mark is missed.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import tunesmith

ROOT = Path(__file__).parents[2]
TOKENS = 64  # of each answer
MARK_RATE, MARK_ADDED_MS = 0.95, 5.0
PROMPT = [{"role": "user", "content": "Count slowly and tell a long story about each number."}]


class Endpoint:
    """An OpenAI-compatible server and the key it asks for."""

    def __init__(self, url, key, model):
        parts = urlsplit(url)
        self.host, self.port, self.key, self.model = parts.hostname, parts.port, key, model

    def stream(self):
        """One streamed answer: (seconds to the first token, tokens, seconds in all)."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=300)
        body = {"model": self.model, "messages": PROMPT, "stream": True, "max_tokens": TOKENS, "ignore_eos": True}
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        begun, first, count = time.perf_counter(), None, 0
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        response = connection.getresponse()
        assert response.status == 200, response.read()
        for line in response:
            if line.startswith(b"data: {") and json.loads(line[6:])["choices"][0]["delta"].get("content"):
                first = first or time.perf_counter() - begun
                count += 1
        connection.close()
        return first, count, time.perf_counter() - begun


def measure(endpoint, streams):
    """(tokens a second of all streams together, seconds to the first token of each)."""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(endpoint.stream())) for _ in range(streams)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    assert len(answers) == streams
    return sum(count for _, count, _ in answers) / seconds, [first for first, _, _ in answers]


def endpoints(data):
    """The engine itself, found in the agent's folder, and the gateway."""
    client = tunesmith.connect(data=data)
    serving = [one for one in client.list_deployments("default") if one.desired_state == "SERVING"]
    if not serving:
        sys.exit("run `make demo` first")
    *_, deployment = client.wait_deployment(serving[0].id)
    if deployment.state != "SERVING":
        sys.exit(f"the deployment does not serve: {deployment.message}")
    replica = max((data / "agent/replicas").iterdir(), key=lambda folder: folder.stat().st_mtime)
    ready, wanted = (json.loads((replica / name).read_text()) for name in ("ready.json", "engine.json"))
    token = client.create_api_token("gateway-benchmark", 3600).token
    name = deployment.name
    return Endpoint(ready["address"], wanted["api_key"], name), Endpoint(client.who_am_i().web_url, token, name)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=ROOT / ".tunesmith")
    parser.add_argument("--rounds", type=int, default=6)
    given = parser.parse_args()
    subprocess.run([sys.executable, "-m", "tunesmith.cli", "up", "--detach", "--data", str(given.data)], check=True)
    ways = dict(zip(("direct", "gateway"), endpoints(given.data.resolve()), strict=True))
    missed = False
    for streams in (1, 8):
        rates, firsts = {name: [] for name in ways}, {name: [] for name in ways}
        for number in range(given.rounds + 1):
            for name, endpoint in ways.items():
                rate, first = measure(endpoint, streams)
                if number:  # the first round warms up
                    rates[name].append(rate)
                    firsts[name] += first
        ratio = statistics.median(b / a for a, b in zip(rates["direct"], rates["gateway"], strict=True))
        added = 1000 * (statistics.median(firsts["gateway"]) - statistics.median(firsts["direct"]))
        for name in ways:
            first = 1000 * statistics.median(firsts[name])
            print(f"{streams} streams {name:<8} {statistics.median(rates[name]):7.1f} tokens/s, first {first:7.1f} ms")
        good = ratio >= MARK_RATE and (streams > 1 or added <= MARK_ADDED_MS)
        missed |= not good
        print(f"{streams} streams gateway/direct {ratio:.3f} (mark ≥ {MARK_RATE}), first token {added:+.1f} ms "
              f"(mark ≤ {MARK_ADDED_MS} at 1 stream) {'reached' if good else 'MISSED'}")  # fmt: skip
    sys.exit(int(missed))


if __name__ == "__main__":
    main()
