"""Endpoints by client and command; the key comes by the standard input and goes nowhere else."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result
from client_support import Installation
from endpoint_support import completion, serving

import tunesmith
from control_plane.store.audit import AuditRecord
from tunesmith import cli


def run(installation: Installation, *arguments: str, typed: str = "") -> Result:
    data = str(installation.cp.settings.data)
    return CliRunner().invoke(cli.main, ["--json", "--data", data, "endpoints", *arguments], input=typed)


def test_an_endpoint_by_commands(installation: Installation, client: tunesmith.Client) -> None:
    with serving(lambda _: completion("yes")) as model:
        saved = run(installation, "save", "other", model.address, "large-1", "--key", typed="a secret key\n")
        assert json.loads(saved.output)["has_key"] is True
        (found,) = client.list_endpoints("default")
        assert (found.name, found.model, found.daily_calls, found.calls_today) == ("other", "large-1", 1_000, 0)
        refused = run(installation, "test", "other")
        assert refused.exit_code == 1 and "TUNESMITH_ENDPOINT_NETWORKS" in refused.output
        assert model.asked == []  # nobody has opened the address
    assert client.save_endpoint("default", "other", found.address, "large-2", daily_calls=7).has_key
    assert json.loads(run(installation, "list").output)[0]["daily_calls"] == 7
    assert "no endpoint “nobody”" in run(installation, "test", "nobody").output
    with pytest.raises(tunesmith.CallFailed, match="With Spaces"):
        client.save_endpoint("default", "With Spaces", found.address, "m")
    run(installation, "remove", "other")
    assert client.list_endpoints("default") == []
    assert "a secret key" not in json.dumps([one.details for one in AuditRecord.select()])
    assert "a secret key" not in saved.output + refused.output
