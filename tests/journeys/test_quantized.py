"""Real models in K-quants go from a GGUF file on the machine to a served answer.

`TUNESMITH_TEST_GGUFS` names the files, separated as in PATH; docs/developers/benchmarks.md says where some are to be
had. Each takes two minutes on a quiet machine. What is asked for is the continuation of a text, which a model without
a chat template can say as well; it begins as the engine goes on with the file itself.
"""

import json
import os
import re
import subprocess
import urllib.request
from pathlib import Path

import pytest
from engine_environments import engine_python

from agent.serving.engines import XLLAMACPP
from control_plane import single_start
from patience import PATIENCE
from place import Place

FILES = [Path(name) for name in os.environ.get("TUNESMITH_TEST_GGUFS", "").split(os.pathsep) if name]
TEXT = "The capital of France is"
ALIKE = 6  # words; later ones may differ, as a quantized matrix is multiplied otherwise than what it was read as


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    roots = os.pathsep.join(str(file.parent.resolve()) for file in FILES)
    place = Place(tmp_path_factory.mktemp("place"), TUNESMITH_AGENT_IMPORT_ROOTS=roots)
    place.up()
    yield place
    place.down()


def run(client, method, **options):
    """Submit a job and follow it to its good end; the model that it made."""
    job = client.submit_job("default", method, **options)
    *_, (job, _) = client.wait_job(job.id)
    assert job.state == "SUCCEEDED", job.message
    return client.get_model(job.model_id)


ITSELF = """
import sys, xllamacpp
given = xllamacpp.CommonParams()
given.model.path, given.n_ctx, given.n_parallel = sys.argv[1], 256, 1
asked = {"prompt": sys.argv[2], "max_tokens": 12, "temperature": 0}
print("said", xllamacpp.Server(given).handle_completions(asked)["choices"][0]["text"])
"""


def of_the_file(file):
    """How the engine goes on with TEXT, of the file as it is."""
    command = [engine_python(XLLAMACPP), "-c", ITSELF, file, TEXT]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return next(line for line in printed.splitlines() if line.startswith("said")).removeprefix("said ")


def continued(place, client, deployment):
    """How the model goes on with TEXT, by the gateway."""
    found = single_start.running(place.folder / "control-plane")
    body = {"model": f"default/{deployment}", "prompt": TEXT, "max_tokens": 12, "temperature": 0}
    headers = {"Authorization": f"Bearer {client.create_api_token('test').token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{found.web_url}/v1/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=2 * PATIENCE) as answer:
        return json.load(answer)["choices"][0]["text"]


@pytest.mark.skipif(not FILES, reason="TUNESMITH_TEST_GGUFS names no GGUF files")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_from_a_gguf_file_to_a_served_answer(place, file):
    client = place.client()
    name = re.sub(r"[^a-z0-9]+", "-", file.stem.lower())[:40].strip("-")
    source = {"source": "file", "reference": str(file.resolve())}
    base = run(client, "import_base_model", name=name, parameters=source)
    packaged = run(client, "export_gguf", inputs={"model": base.id})
    deployment = client.deploy("default", name, packaged.id, context_length=256, slots=1)
    *_, deployment = client.wait_deployment(deployment.id)
    assert deployment.state == "SERVING", deployment.message
    said = continued(place, client, name)
    client.stop_deployment(deployment.id)
    assert said.split()[:ALIKE] == of_the_file(file).split()[:ALIKE]
