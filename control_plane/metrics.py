"""What the control plane counts of itself, for Prometheus. Names and labels are a contract with dashboards.

What the database knows (jobs, machines) is asked of it when somebody reads, by `services/measurements.py`.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_CALL_SECONDS = (0.005, 0.025, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0)
_PASS_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """One set for each control plane. May be used from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.calls = Histogram(
            "tunesmith_rpc_seconds",
            "Calls of machines and clients; a Poll hangs on purpose",
            ["method", "code"],
            buckets=_CALL_SECONDS,
            registry=registry,
        )
        self.passes = Histogram(
            "tunesmith_scheduling_pass_seconds", "Scheduling passes", buckets=_PASS_SECONDS, registry=registry
        )
        self.chats = Counter("tunesmith_chats", "Requests that were passed on to an engine", ["way"], registry=registry)
        self.held = Gauge("tunesmith_streams", "Streams that are held right now", ["kind"], registry=registry)
        self.jobs = Gauge("tunesmith_jobs", "Jobs", ["state"], registry=registry)
        self.oldest_queued = Gauge("tunesmith_queue_oldest_seconds", "Age of the oldest queued job", registry=registry)
        self.machines = Gauge("tunesmith_machines", "Machines", ["connectivity"], registry=registry)
        self.replicas = Gauge(
            "tunesmith_replicas", "Replicas that are to serve, as their machines see them", ["state"], registry=registry
        )
        ProcessCollector(registry=registry)
