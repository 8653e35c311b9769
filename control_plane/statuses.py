"""What an error means on the two wires: one table for HTTP and gRPC."""

from __future__ import annotations

from typing import NamedTuple


class Status(NamedTuple):
    """An HTTP status and the name of a gRPC status code."""

    http: int
    grpc: str


# error.status → statuses
STATUS = {
    "failed": Status(500, "INTERNAL"),
    "not_found": Status(404, "NOT_FOUND"),
    "denied": Status(403, "PERMISSION_DENIED"),
    "unauthenticated": Status(401, "UNAUTHENTICATED"),
    "invalid": Status(400, "INVALID_ARGUMENT"),
    "conflict": Status(409, "FAILED_PRECONDITION"),
    "fenced": Status(409, "FAILED_PRECONDITION"),
    "unavailable": Status(503, "UNAVAILABLE"),
    "too_many": Status(429, "RESOURCE_EXHAUSTED"),
}
