"""One line of the table that `make matrix` draws, so that the rest of it cannot rot."""

import json
from pathlib import Path

import matrix


def test_a_method_goes_over_two_machines_to_a_served_answer(tmp_path: Path) -> None:
    with matrix.fleet(tmp_path) as here:
        (known,) = [one for one in here.client.list_methods() if one.name == "sft_demo"]
        method, trained, evaluated, served, _seconds = matrix.row(here, "sft_demo", json.loads(known.manifest))
    assert method == "sft_demo"
    assert trained.startswith("yes, from step ") and trained.endswith(" of 150")
    assert (evaluated, served) == ("exact_match", "yes")
