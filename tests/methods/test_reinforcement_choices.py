"""What learning by reward decides before it loads anything."""

import json
from pathlib import Path

import pytest
from kit import job
from kit.training import reinforcement


@pytest.mark.parametrize(
    ("devices", "is_there", "chosen"), [(["cuda:0"], True, True), (["cuda:0"], False, False), (["cpu:0"], True, False)]
)
def test_vllm_writes_the_answers_on_cuda_where_it_is_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devices: list[str], is_there: bool, chosen: bool
) -> None:
    """With a module of that name and nothing in it: no vLLM has run in a test."""
    (tmp_path / "job.json").write_text(json.dumps({"method": "grpo", "devices": devices}))
    if is_there:
        (tmp_path / "vllm.py").touch()
        monkeypatch.syspath_prepend(str(tmp_path))
    assert reinforcement.has_vllm(job.read(tmp_path / "job.json")) is chosen
