"""What each shipped case brings SmolLM2: its own steps by hand, and held-out answers before and after with intervals.

    PYTHONPATH=.:proto:tests .venv/bin/python tests/benchmarks/cases.py [CASE …] [--base FOLDER] [--rows N]
        [--threads N] [--out FOLDER] [--write MACHINE]

Import, training and evaluation are those of each case's plan, with its own parameters and checks; without --base the
plan's import is run, too. The minutes are those of training and evaluation. --write puts what was found into the
case's `[measured]`, with these words for the machine. The table is Markdown, as in docs/developers/benchmarks.md.
"""

import argparse
import datetime
import re
import sys
import tempfile
import time
from pathlib import Path

import by_hand
import case_plans

from control_plane.domain import verdict

HEAD = "| case | minutes | metric | base | tuned | difference | verdict |\n|---|---|---|---|---|---|---|"
FIXED = {"seed": by_hand.SEED}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help="Names of cases; none: all.")
    parser.add_argument("--base", type=Path, help="A complete model instead of the plan's import.")
    parser.add_argument("--rows", type=int, help="Held-out rows instead of the plan's number.")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--out", type=Path, help="Where the files of each step are kept.")
    parser.add_argument("--write", metavar="MACHINE")
    given = parser.parse_args()
    known = {folder.name: folder for folder in case_plans.FOLDERS}
    if unknown := set(given.cases) - set(known):
        sys.exit(f"no such case: {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    print(HEAD, flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        for name in given.cases or known:
            measure(known[name], (given.out or Path(temporary)) / name, given)


def measure(case, folder, given):
    """Carry out a case's plan as far as its evaluation, print its rows of the table."""

    def run(method, job, out):
        by_hand.method(method, job, out, given.threads)

    course = case_plans.Course(case_plans.read(case), folder, run, FIXED, {"rows": given.rows} if given.rows else {})
    if given.base:
        for step in course.plan.of_kind("import"):
            course.made[f"{step.name}.model"] = by_hand.model(given.base.resolve())
    else:
        course.carry_out("import")
    begun = time.perf_counter()
    course.carry_out("train", "evaluate")
    minutes = (time.perf_counter() - begun) / 60
    metrics = course.evaluation()["metrics"]
    for metric, scores in metrics.items():
        base, tuned = (verdict.score(scores[one]) for one in ("baseline", "candidate"))
        gain = verdict.difference(scores["candidate"], scores["baseline"])
        said = [percent(base), percent(tuned), percent(gain, "+"), verdict.of(gain)]
        print("|", " | ".join([case.name, f"{minutes:.1f}", f"`{metric}`", *said]), "|", flush=True)
    if given.write:
        write(case / "case.toml", measured(metrics, minutes, given.write))


def percent(one, sign=""):
    """A share or a difference in percent, with its interval."""
    return f"{100 * one.value:{sign}.0f} % ({100 * one.low:.0f} to {100 * one.high:.0f})"


def measured(metrics, minutes, machine):
    """What was found as TOML: each metric's value and its 95 % interval."""

    def table(candidate):
        found = {metric: verdict.score(scores[candidate]) for metric, scores in metrics.items()}
        values = (f"{metric} = [{one.value:.3f}, {one.low:.3f}, {one.high:.3f}]" for metric, one in found.items())
        return "{ " + ", ".join(values) + " }"

    rows = len(next(iter(metrics.values()))["candidate"])
    return (
        "[measured]             # on the held-out rows: value and 95 % interval, before and after\n"
        f'date = "{datetime.datetime.now(datetime.UTC).date()}"\nmachine = "{machine}"\nminutes = {minutes:.1f}\n'
        f"rows = {rows}\nbase = {table('baseline')}\ntuned = {table('candidate')}\n"
    )


def write(path, table):
    """Put the table into a case.toml: in the place of the one that it has, else before its data."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^\[measured\].*?(?=^\[)", "", text, flags=re.DOTALL | re.MULTILINE)
    path.write_text(text.replace("[dataset]\n", f"{table}\n[dataset]\n", 1), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
