"""Tunesmith's Python client: `client = tunesmith.connect()`, then every verb of the public API.

import tunesmith

client = tunesmith.connect()
version = client.upload_dataset("default", "faults", "train.jsonl", "test.jsonl")
job = client.submit_job("default", "sft_demo", inputs={"base": 1, "dataset": version.id})
for job, events in client.wait_job(job.id):
    print(job.state, events)
"""

from tunesmith.client import Client, connect
from tunesmith.connection import CallFailed, NotConfigured

__all__ = ["CallFailed", "Client", "NotConfigured", "connect"]
