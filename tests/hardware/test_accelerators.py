"""What only the real thing can show: skipped with the reason elsewhere. `tunesmith doctor` says the same by hand."""

import json
import os
import platform
import subprocess
import sys

import pytest

from agent.hardware import apple
from agent.hardware.nvidia import Nvidia
from agent.hardware.read import inventory_of
from method_environments import ROOT, method_python

GPUS = [gpu for gpu in Nvidia().devices() if gpu.healthy]
needs_cuda = pytest.mark.skipif(not GPUS, reason="no healthy NVIDIA GPU on this machine")
needs_metal = pytest.mark.skipif(
    sys.platform != "darwin" or platform.machine() != "arm64", reason="no Apple silicon: Metal is not here"
)


@needs_cuda
def test_each_gpu_tells_its_memory_and_the_driver_its_version(tmp_path):
    found = inventory_of(tmp_path, 0)
    assert "cuda" in found.platforms
    assert found.driver
    for gpu in (device for device in found.devices if device.kind == "cuda"):
        assert gpu.uuid.startswith("GPU-")
        assert 0 < gpu.memory_free <= gpu.memory_total


@needs_cuda
@pytest.mark.torch
@pytest.mark.parametrize(("method", "changes", "result"), [
    ("sft_demo", {}, "adapter/adapter_model.safetensors"),
    ("peft", {"adapter": "qlora", "precision": "auto"}, "adapter/adapter_model.safetensors"),
    ("full", {"precision": "mixed"}, "model/model.safetensors"),
    ("full", {"optimizer": "adamw_8bit"}, "model/model.safetensors"),
    ("full", {"optimizer": "paged_adamw_8bit"}, "model/model.safetensors"),
])  # fmt: skip
def test_a_training_runs_on_the_gpu(tmp_path, method, changes, result):
    python = str(method_python(method))
    environment = os.environ | {"PYTHONPATH": str(ROOT / "methods"), "CUDA_VISIBLE_DEVICES": GPUS[0].uuid}
    subprocess.run([python, "-m", "kit.tiny_model", str(tmp_path)], env=environment, check=True)
    job = json.loads((ROOT / "methods" / method / "example.json").read_text())
    job["devices"] = ["cuda:0"]
    job["parameters"] |= changes
    job["inputs"]["base"]["path"] = str(tmp_path / "llama")
    job["inputs"]["dataset"] |= {"train": str(tmp_path / "train.jsonl"), "test": str(tmp_path / "test.jsonl")}
    (tmp_path / "job.json").write_text(json.dumps(job))
    script = ROOT / "methods" / method / "train.py"
    command = [python, str(script), "--job", str(tmp_path / "job.json"), "--out", str(tmp_path / "out")]
    subprocess.run(command, env=environment, check=True)
    assert (tmp_path / "out" / result).is_file()


@needs_metal
def test_the_chip_is_named_and_shares_the_main_memory(tmp_path):
    found = inventory_of(tmp_path, 0)
    (gpu,) = [device for device in found.devices if device.kind == "metal"]
    assert apple.chip().startswith("Apple")
    assert gpu.memory_total == found.memory_total
