"""What a fleet costs: simulated machines over the real protocol against a real control plane, in one run of phases.

    .venv/bin/python tests/benchmarks/fleet.py [--agents 1000] [--running 100] [--json FILE] [--tree PATH]

A control plane of its own starts on a fresh folder (SQLite, three free ports). Each machine enrols with a join token,
keeps a P-256 key and a certificate, and holds its own connections with mutual TLS (`fleet_machines.py`). Then: idle,
heartbeats and hanging polls alone; steady, attempts that write log lines and a metric each second; starts, quick jobs
through the public API at a rate; burst, as many as can be submitted; storm, kill -9 of the control plane under that
load, and everybody comes back. At the end all attempts finish, and every log is read back and compared byte for byte.

The heartbeat's interval is as the control plane tells; `--set NAME=VALUE` changes any of its settings. No limit of
enrolment had to be raised: only refusals count there. `--tree` names a checkout whose control plane and client are used
in place of this one's, so that two states can be compared. Exits with 1 when a mark is missed. Machines and control
plane share the cores of this machine, so the times hold the machines' own waiting too.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fleet_processes import METHOD, PATIENCE, Crowd, Plane, Spent

ROOT = Path(__file__).parents[2]


class Bench:
    """The phases, in order, and what each gave."""

    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self.given = given
        self.plane = Plane(folder, given.tree, dict(one.split("=", 1) for one in given.set))
        self.crowds: list[Crowd] = []
        self.phases: dict[str, dict[str, float]] = {}
        self.steady: dict[int, float] = {}  # job → when its submission began
        self.starts: dict[int, float] = {}
        self.burst: dict[int, float] = {}
        self.storm: dict[str, float] = {}

    def run(self) -> dict[str, Any]:
        given = self.given
        self.plane.start()
        self.client = self.plane.client()
        self.join()
        self.watch("idle", lambda: time.sleep(given.seconds))
        self.steady = self.submit([0.0] * given.running, {"lines": 5, "log_calls": given.log_calls})
        self.watch("steady", lambda: time.sleep(given.seconds))
        self.watch("starts", self.start_jobs)
        self.watch("burst", self.start_at_once)
        self.ask("phase", name="storm")
        self.break_down()
        self.ask("phase", name="ending")
        left = sum(answer["left"] for answer in self.ask("finish", seconds=PATIENCE))
        return self.result(left)

    def close(self) -> None:
        for crowd in self.crowds:
            crowd.close()
        self.plane.stop()

    def join(self) -> None:
        """Tokens from the public API, then all machines."""
        begun, target = time.monotonic(), self.client.target
        with ThreadPoolExecutor(4) as pool:
            tokens = list(pool.map(lambda _: self.client.create_join_token().token, range(self.given.agents)))
        self.crowds = [Crowd(self.given.tree) for _ in range(self.given.processes)]
        for number, crowd in enumerate(self.crowds):
            mine = tokens[number :: len(self.crowds)]
            crowd.tell(
                "join", tokens=mine, address=target.address, authority=target.authority, version=version("tunesmith")
            )
        assert sum(crowd.answer()["joined"] for crowd in self.crowds) == self.given.agents
        self.joined_seconds = time.monotonic() - begun

    def watch(self, phase: str, work: Callable[[], None]) -> None:
        self.ask("phase", name=phase)
        spent = Spent(self.plane, self.crowds)
        work()
        self.phases[phase] = spent.figures()
        print(f"{phase}: {self.phases[phase]['seconds']:.0f} s", file=sys.stderr, flush=True)

    def start_jobs(self) -> None:
        begun, rate = time.monotonic(), self.given.rate
        self.starts = self.submit([begun + number / rate for number in range(self.given.starts)], {})

    def start_at_once(self) -> None:
        self.burst = self.submit([0.0] * self.given.burst, {})

    def submit(self, times: list[float], parameters: dict[str, int]) -> dict[int, float]:
        """Ask for a job at each of the times; return when machines have taken all of them up."""

        def one(due: float) -> tuple[int, float]:
            time.sleep(max(0.0, due - time.monotonic()))
            begun = time.monotonic()
            return self.client.submit_job("default", METHOD, parameters=parameters).id, begun

        before = self.accepted()
        with ThreadPoolExecutor(8) as pool:
            made = dict(pool.map(one, times))
        until = time.monotonic() + PATIENCE
        while self.accepted() < before + len(made) and time.monotonic() < until:
            time.sleep(0.1)
        return made

    def accepted(self) -> int:
        return sum(answer["accepted"] for answer in self.ask("accepted"))

    def break_down(self) -> None:
        """kill -9, a start, and how long after the kill each machine's first heartbeat was answered."""
        killed = time.monotonic()
        self.plane.kill()
        self.plane.start()
        ready = time.monotonic()
        answers = self.ask("heard_since", since=killed, seconds=PATIENCE)
        back = sorted(at - killed for answer in answers for at in answer["at"])
        self.storm = {"ready_seconds": ready - killed, "back": len(back), "back_seconds": max(back, default=math.nan)}
        time.sleep(min(5.0, self.given.seconds))  # attempts go on for a while, with what they could not send

    def ask(self, do: str, **command: Any) -> list[dict[str, Any]]:
        """Ask all processes of machines; their answers."""
        for crowd in self.crowds:
            crowd.tell(do, **command)
        return [crowd.answer() for crowd in self.crowds]

    # ---- what came of it

    def result(self, left: int) -> dict[str, Any]:
        """All that was seen, checked against what the control plane says."""
        seen = self.ask("figures")
        accepted = {int(job): at for one in seen for job, at in one["accepted"].items()}
        written = {int(job): tuple(log) for one in seen for job, log in one["logs"].items()}
        jobs = [self.client.get_job(number) for number in (*self.steady, *self.starts, *self.burst)]
        machines = self.client.list_machines()
        return {
            "given": {name: str(value) for name, value in vars(self.given).items()},
            "joined_seconds": self.joined_seconds,
            "phases": self.phases,
            "calls_ms": {phase: _calls(seen, phase) for phase in (*self.phases, "storm", "ending")},
            "submit_to_accept_ms": {
                "starts": _spread([accepted[job] - at for job, at in self.starts.items() if job in accepted]),
                "burst": _spread([accepted[job] - at for job, at in self.burst.items() if job in accepted]),
            },
            "starts_a_second": _rate(self.burst, accepted),
            "storm": self.storm,
            "agents": len(machines),
            "not_online": sum(one.connectivity != "ONLINE" for one in machines),
            "jobs": len(jobs),
            "not_accepted": sum(job.id not in accepted for job in jobs),
            "not_succeeded": sum(job.state != "SUCCEEDED" for job in jobs),
            "lost_attempts": sum(one.state == "LOST" for job in jobs for one in job.attempts),
            "second_attempts": sum(len(job.attempts) - 1 for job in jobs),
            "attempts_left": left,
            "log_bytes": sum(length for length, _ in written.values()),
            "logs_that_differ": sum(self.kept(job) != written.get(job) for job in self.steady),
            "failures": _failures(seen),
        }

    def kept(self, job: int) -> tuple[int, str]:
        """Length and sha256 of a job's log as the public API gives it."""
        digest, offset, size = sha256(), 0, 1
        while offset < size:
            data, size = self.client.read_log(job, offset=offset)
            digest.update(data)
            offset += len(data)
        return offset, digest.hexdigest()


def _calls(seen: list[dict[str, Any]], phase: str) -> dict[str, dict[str, float]]:
    """How long each kind of call took in a phase; a Poll hangs on purpose and is left out."""
    found = [one["seconds"].get(phase, {}) for one in seen]
    names = sorted({name for calls in found for name in calls} - {"Poll"})
    return {name: _spread([seconds for calls in found for seconds in calls.get(name, [])]) for name in names}


def _failures(seen: list[dict[str, Any]]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for one in seen:
        for phase, counts in one["failures"].items():
            found.update({f"{phase}: {what}": count for what, count in counts.items()})
    return dict(found)


def _rate(begun: dict[int, float], accepted: dict[int, float]) -> float:
    """Jobs taken up a second, from the first submission to the last Accept."""
    ends = [accepted[job] for job in begun if job in accepted]
    return len(ends) / (max(ends) - min(begun.values())) if ends else 0.0


def _spread(seconds: list[float]) -> dict[str, float]:
    """Milliseconds."""
    if not seconds:
        return {"n": 0, "p50": math.nan, "p99": math.nan, "max": math.nan}
    ordered = [1000 * one for one in sorted(seconds)]
    p99 = ordered[math.ceil(0.99 * len(ordered)) - 1]
    return {"n": len(ordered), "p50": statistics.median(ordered), "p99": p99, "max": ordered[-1]}


def report(found: dict[str, Any]) -> bool:
    """Print the tables; whether each mark is reached."""
    print(f"{found['agents']} machines joined in {found['joined_seconds']:.1f} s (tokens, certificates, sessions)")
    columns = (
        "control_plane_cores",
        "control_plane_mib",
        "agents_cores",
        "commits_a_second",
        "pass_ms",
        "load_average",
    )
    print(f"{'phase':<8}{'beats':>7}{'p50 ms':>8}{'p99 ms':>8}" + "".join(f"{one:>21}" for one in columns))
    for phase, spent in found["phases"].items():
        beat = found["calls_ms"][phase].get("Heartbeat", _spread([]))
        row = "".join(f"{spent[one]:>21.2f}" for one in columns)
        print(f"{phase:<8}{beat['n']:>7}{beat['p50']:>8.1f}{beat['p99']:>8.1f}{row}")
    for phase, calls in found["calls_ms"].items():
        shown = ", ".join(f"{name} {one['p50']:.0f}/{one['p99']:.0f} (n {one['n']})" for name, one in calls.items())
        print(f"{phase}, p50/p99 ms: {shown}")
    for phase, one in found["submit_to_accept_ms"].items():
        print(f"{phase}, submit → Accept: p50 {one['p50']:.0f} ms, p99 {one['p99']:.0f} ms, n {one['n']}")
    print(f"failed tries: {found['failures'] or 'none'}")
    rows = list(_marks(found))
    for name, value, sign, mark in rows:
        print(f"{name:<44}{value:>10.1f}  mark {sign} {mark:<6} {'reached' if _holds(value, sign, mark) else 'MISSED'}")
    return all(_holds(value, sign, mark) for _, value, sign, mark in rows)


def _marks(found: dict[str, Any]) -> list[tuple[str, float, str, float]]:
    steady, waits, calls = found["phases"]["steady"], found["submit_to_accept_ms"], found["calls_ms"]["steady"]
    due = int(found["given"]["running"]) * steady["seconds"]  # attempts wait for their answers: a slow plane sees less
    return [
        ("metrics taken of those due, steady, %", 100 * calls["AppendEvents"]["n"] / due, ">=", 95),
        ("heartbeat p99, steady, ms", calls["Heartbeat"]["p99"], "<", 250),
        ("control plane, steady, cores", steady["control_plane_cores"], "<", 1),
        ("control plane, steady, MiB", steady["control_plane_mib"], "<", 400),
        ("submit → Accept p50, ms", waits["starts"]["p50"], "<", 100),
        ("submit → Accept p99, ms", waits["starts"]["p99"], "<", 1000),
        ("starts a second, burst", found["starts_a_second"], ">=", 50),
        ("storm: all back after the kill, s", found["storm"]["back_seconds"], "<", 60),
        ("machines that did not come back", found["agents"] - found["storm"]["back"], "=", 0),
        ("attempts that were lost", found["lost_attempts"], "=", 0),
        ("attempts beyond each job's first", found["second_attempts"], "=", 0),
        ("jobs that did not succeed", found["not_succeeded"], "=", 0),
        ("logs that are not as they were written", found["logs_that_differ"], "=", 0),
    ]


def _holds(value: float, sign: str, mark: float) -> bool:
    return {"<": value < mark, ">=": value >= mark, "=": value == mark}[sign]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--running", type=int, default=100, help="attempts that run all the time")
    parser.add_argument("--log-calls", type=int, default=1, help="calls a second that carry an attempt's 5 lines")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the phases idle and steady")
    parser.add_argument("--starts", type=int, default=300, help="quick jobs at the rate")
    parser.add_argument("--rate", type=float, default=10.0, help="quick jobs a second")
    parser.add_argument("--burst", type=int, default=300, help="quick jobs at once")
    parser.add_argument("--processes", type=int, default=2, help="that hold the machines")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="of the control plane")
    parser.add_argument("--tree", type=Path, default=ROOT, help="checkout that is measured")
    parser.add_argument("--json", type=Path, help="file for all figures")
    parser.add_argument("--keep", action="store_true", help="keep the data folder and name it")
    given = parser.parse_args()
    given.tree = given.tree.resolve()
    sys.path[:0] = [str(given.tree / "proto")]
    folder = Path(tempfile.mkdtemp(prefix="fleet-"))
    bench = Bench(given, folder)
    try:
        found = bench.run()
    finally:
        bench.close()
        if given.keep:
            print(f"data and log: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))
    sys.exit(0 if report(found) else 1)


if __name__ == "__main__":
    main()
