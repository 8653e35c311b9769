"""The signature of a webhook: HMAC-SHA256 over the moment of sending and the body."""

from __future__ import annotations

import hashlib
import hmac

HEADER = "Tunesmith-Signature"


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """The header's value: `t=<seconds since 1970>,v1=<64 hexadecimal digits>`, of the bytes `<timestamp>.<body>`."""
    signed = hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"
