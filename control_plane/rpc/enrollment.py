"""The Enrollment service on the api port: the only calls that a machine makes without a certificate."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Any

import grpc.aio

from control_plane.context import ControlPlane
from control_plane.domain.errors import CertificateRefused, JoinTokenRefused, TooMany
from control_plane.domain.limits import ENROLLMENT
from control_plane.rpc.interceptors import address_of
from control_plane.services.fleet import enrollment
from tunesmith.v1 import fleet_pb2 as pb
from tunesmith.v1 import fleet_pb2_grpc

Context = grpc.aio.ServicerContext[Any, Any]


class EnrollmentServicer(fleet_pb2_grpc.EnrollmentServicer):
    def __init__(self, cp: ControlPlane, pool: Executor) -> None:
        self._cp = cp
        self._pool = pool

    async def Enroll(self, request: pb.EnrollRequest, context: Context) -> pb.EnrollReply:
        address = address_of(context)
        made = await self._guarded(
            address,
            partial(
                enrollment.enroll,
                self._cp,
                request.token,
                request.csr,
                request.hostname,
                request.agent_version,
                address,
            ),
        )
        settings = self._cp.settings
        return pb.EnrollReply(
            machine_id=made.machine_id,
            certificate=made.certificate,
            authority=made.authority,
            fleet_address=f"{settings.public_host}:{settings.fleet_port}",
            generation=made.generation,
        )

    async def Recover(self, request: pb.RecoverRequest, context: Context) -> pb.RecoverReply:
        if not request.signature:
            return pb.RecoverReply(nonce=enrollment.recovery_nonce(self._cp, request.machine_id))
        address = address_of(context)
        made = await self._guarded(
            address,
            partial(
                enrollment.recover,
                self._cp,
                request.machine_id,
                request.nonce,
                request.signature,
                request.csr,
                request.generation,
                address,
            ),
        )
        return pb.RecoverReply(certificate=made.certificate, generation=made.generation)

    async def _guarded(self, address: str, redeem: partial[enrollment.Credentials]) -> enrollment.Credentials:
        """Whoever was refused often must wait: guessing tokens is hopeless, and cheap for us."""
        self._cp.throttle.check(ENROLLMENT, address)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, redeem)
        except (JoinTokenRefused, CertificateRefused):
            with suppress(TooMany):
                self._cp.throttle.take(ENROLLMENT, address)
            raise
