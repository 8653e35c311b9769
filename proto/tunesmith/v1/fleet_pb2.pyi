from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EnrollRequest(_message.Message):
    __slots__ = ("token", "csr", "hostname", "agent_version")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    CSR_FIELD_NUMBER: _ClassVar[int]
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    AGENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    token: str
    csr: bytes
    hostname: str
    agent_version: str
    def __init__(self, token: _Optional[str] = ..., csr: _Optional[bytes] = ..., hostname: _Optional[str] = ..., agent_version: _Optional[str] = ...) -> None: ...

class EnrollReply(_message.Message):
    __slots__ = ("machine_id", "certificate", "authority", "fleet_address", "generation")
    MACHINE_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_FIELD_NUMBER: _ClassVar[int]
    FLEET_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    machine_id: str
    certificate: bytes
    authority: bytes
    fleet_address: str
    generation: int
    def __init__(self, machine_id: _Optional[str] = ..., certificate: _Optional[bytes] = ..., authority: _Optional[bytes] = ..., fleet_address: _Optional[str] = ..., generation: _Optional[int] = ...) -> None: ...

class RecoverRequest(_message.Message):
    __slots__ = ("machine_id", "nonce", "signature", "csr", "generation")
    MACHINE_ID_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    CSR_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    machine_id: str
    nonce: bytes
    signature: bytes
    csr: bytes
    generation: int
    def __init__(self, machine_id: _Optional[str] = ..., nonce: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., csr: _Optional[bytes] = ..., generation: _Optional[int] = ...) -> None: ...

class RecoverReply(_message.Message):
    __slots__ = ("nonce", "certificate", "generation")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    nonce: bytes
    certificate: bytes
    generation: int
    def __init__(self, nonce: _Optional[bytes] = ..., certificate: _Optional[bytes] = ..., generation: _Optional[int] = ...) -> None: ...

class RenewCertificateRequest(_message.Message):
    __slots__ = ("csr",)
    CSR_FIELD_NUMBER: _ClassVar[int]
    csr: bytes
    def __init__(self, csr: _Optional[bytes] = ...) -> None: ...

class RenewCertificateReply(_message.Message):
    __slots__ = ("certificate", "generation")
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    certificate: bytes
    generation: int
    def __init__(self, certificate: _Optional[bytes] = ..., generation: _Optional[int] = ...) -> None: ...

class Device(_message.Message):
    __slots__ = ("uuid", "kind", "name", "memory_total", "memory_free", "utilisation", "temperature", "power_watts", "healthy", "reason")
    UUID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TOTAL_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FREE_FIELD_NUMBER: _ClassVar[int]
    UTILISATION_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    POWER_WATTS_FIELD_NUMBER: _ClassVar[int]
    HEALTHY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    uuid: str
    kind: str
    name: str
    memory_total: int
    memory_free: int
    utilisation: float
    temperature: float
    power_watts: float
    healthy: bool
    reason: str
    def __init__(self, uuid: _Optional[str] = ..., kind: _Optional[str] = ..., name: _Optional[str] = ..., memory_total: _Optional[int] = ..., memory_free: _Optional[int] = ..., utilisation: _Optional[float] = ..., temperature: _Optional[float] = ..., power_watts: _Optional[float] = ..., healthy: _Optional[bool] = ..., reason: _Optional[str] = ...) -> None: ...

class Inventory(_message.Message):
    __slots__ = ("hostname", "system", "release", "architecture", "cpu_name", "cpu_count", "memory_total", "memory_free", "disk_total", "disk_free", "cpu_utilisation", "on_mains", "battery", "devices", "driver", "platforms", "engine", "isolation", "isolation_problem")
    HOSTNAME_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    CPU_NAME_FIELD_NUMBER: _ClassVar[int]
    CPU_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TOTAL_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FREE_FIELD_NUMBER: _ClassVar[int]
    DISK_TOTAL_FIELD_NUMBER: _ClassVar[int]
    DISK_FREE_FIELD_NUMBER: _ClassVar[int]
    CPU_UTILISATION_FIELD_NUMBER: _ClassVar[int]
    ON_MAINS_FIELD_NUMBER: _ClassVar[int]
    BATTERY_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    DRIVER_FIELD_NUMBER: _ClassVar[int]
    PLATFORMS_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    ISOLATION_FIELD_NUMBER: _ClassVar[int]
    ISOLATION_PROBLEM_FIELD_NUMBER: _ClassVar[int]
    hostname: str
    system: str
    release: str
    architecture: str
    cpu_name: str
    cpu_count: int
    memory_total: int
    memory_free: int
    disk_total: int
    disk_free: int
    cpu_utilisation: float
    on_mains: bool
    battery: float
    devices: _containers.RepeatedCompositeFieldContainer[Device]
    driver: str
    platforms: _containers.RepeatedScalarFieldContainer[str]
    engine: str
    isolation: str
    isolation_problem: str
    def __init__(self, hostname: _Optional[str] = ..., system: _Optional[str] = ..., release: _Optional[str] = ..., architecture: _Optional[str] = ..., cpu_name: _Optional[str] = ..., cpu_count: _Optional[int] = ..., memory_total: _Optional[int] = ..., memory_free: _Optional[int] = ..., disk_total: _Optional[int] = ..., disk_free: _Optional[int] = ..., cpu_utilisation: _Optional[float] = ..., on_mains: _Optional[bool] = ..., battery: _Optional[float] = ..., devices: _Optional[_Iterable[_Union[Device, _Mapping]]] = ..., driver: _Optional[str] = ..., platforms: _Optional[_Iterable[str]] = ..., engine: _Optional[str] = ..., isolation: _Optional[str] = ..., isolation_problem: _Optional[str] = ...) -> None: ...

class HeldAttempt(_message.Message):
    __slots__ = ("attempt_id", "fence", "state")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    fence: int
    state: str
    def __init__(self, attempt_id: _Optional[int] = ..., fence: _Optional[int] = ..., state: _Optional[str] = ...) -> None: ...

class HelloRequest(_message.Message):
    __slots__ = ("agent_version", "boot_id", "inventory", "attempts", "generation")
    AGENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    BOOT_ID_FIELD_NUMBER: _ClassVar[int]
    INVENTORY_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    agent_version: str
    boot_id: str
    inventory: Inventory
    attempts: _containers.RepeatedCompositeFieldContainer[HeldAttempt]
    generation: int
    def __init__(self, agent_version: _Optional[str] = ..., boot_id: _Optional[str] = ..., inventory: _Optional[_Union[Inventory, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[HeldAttempt, _Mapping]]] = ..., generation: _Optional[int] = ...) -> None: ...

class AttemptVerdict(_message.Message):
    __slots__ = ("attempt_id", "verdict", "fence")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    verdict: str
    fence: int
    def __init__(self, attempt_id: _Optional[int] = ..., verdict: _Optional[str] = ..., fence: _Optional[int] = ...) -> None: ...

class HelloReply(_message.Message):
    __slots__ = ("epoch", "control_plane_version", "heartbeat_seconds", "poll_seconds", "verdicts")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    CONTROL_PLANE_VERSION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    POLL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    control_plane_version: str
    heartbeat_seconds: float
    poll_seconds: float
    verdicts: _containers.RepeatedCompositeFieldContainer[AttemptVerdict]
    def __init__(self, epoch: _Optional[int] = ..., control_plane_version: _Optional[str] = ..., heartbeat_seconds: _Optional[float] = ..., poll_seconds: _Optional[float] = ..., verdicts: _Optional[_Iterable[_Union[AttemptVerdict, _Mapping]]] = ...) -> None: ...

class ReplicaStatus(_message.Message):
    __slots__ = ("replica_id", "generation", "state", "reason", "params", "restarts", "memory")
    REPLICA_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    replica_id: int
    generation: int
    state: str
    reason: str
    params: str
    restarts: int
    memory: int
    def __init__(self, replica_id: _Optional[int] = ..., generation: _Optional[int] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., params: _Optional[str] = ..., restarts: _Optional[int] = ..., memory: _Optional[int] = ...) -> None: ...

class HeartbeatRequest(_message.Message):
    __slots__ = ("epoch", "inventory", "attempts", "replicas")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    INVENTORY_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    inventory: Inventory
    attempts: _containers.RepeatedCompositeFieldContainer[HeldAttempt]
    replicas: _containers.RepeatedCompositeFieldContainer[ReplicaStatus]
    def __init__(self, epoch: _Optional[int] = ..., inventory: _Optional[_Union[Inventory, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[HeldAttempt, _Mapping]]] = ..., replicas: _Optional[_Iterable[_Union[ReplicaStatus, _Mapping]]] = ...) -> None: ...

class Lease(_message.Message):
    __slots__ = ("attempt_id", "fence", "seconds_left")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    SECONDS_LEFT_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    fence: int
    seconds_left: float
    def __init__(self, attempt_id: _Optional[int] = ..., fence: _Optional[int] = ..., seconds_left: _Optional[float] = ...) -> None: ...

class HeartbeatReply(_message.Message):
    __slots__ = ("leases", "verdicts", "heartbeat_seconds", "instructions_waiting")
    LEASES_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_WAITING_FIELD_NUMBER: _ClassVar[int]
    leases: _containers.RepeatedCompositeFieldContainer[Lease]
    verdicts: _containers.RepeatedCompositeFieldContainer[AttemptVerdict]
    heartbeat_seconds: float
    instructions_waiting: bool
    def __init__(self, leases: _Optional[_Iterable[_Union[Lease, _Mapping]]] = ..., verdicts: _Optional[_Iterable[_Union[AttemptVerdict, _Mapping]]] = ..., heartbeat_seconds: _Optional[float] = ..., instructions_waiting: _Optional[bool] = ...) -> None: ...

class GoodbyeRequest(_message.Message):
    __slots__ = ("epoch", "reason")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    reason: str
    def __init__(self, epoch: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class GoodbyeReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PollRequest(_message.Message):
    __slots__ = ("epoch", "known", "wait_seconds")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    known: _containers.RepeatedScalarFieldContainer[str]
    wait_seconds: float
    def __init__(self, epoch: _Optional[int] = ..., known: _Optional[_Iterable[str]] = ..., wait_seconds: _Optional[float] = ...) -> None: ...

class PollReply(_message.Message):
    __slots__ = ("instructions",)
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    instructions: _containers.RepeatedCompositeFieldContainer[Instruction]
    def __init__(self, instructions: _Optional[_Iterable[_Union[Instruction, _Mapping]]] = ...) -> None: ...

class Instruction(_message.Message):
    __slots__ = ("key", "offer", "cancel", "serve", "stop_serving", "drain")
    KEY_FIELD_NUMBER: _ClassVar[int]
    OFFER_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    SERVE_FIELD_NUMBER: _ClassVar[int]
    STOP_SERVING_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    key: str
    offer: Offer
    cancel: Cancel
    serve: Serve
    stop_serving: StopServing
    drain: Drain
    def __init__(self, key: _Optional[str] = ..., offer: _Optional[_Union[Offer, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ..., serve: _Optional[_Union[Serve, _Mapping]] = ..., stop_serving: _Optional[_Union[StopServing, _Mapping]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ...) -> None: ...

class FileRef(_message.Message):
    __slots__ = ("path", "sha256", "size")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    path: str
    sha256: str
    size: int
    def __init__(self, path: _Optional[str] = ..., sha256: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class Input(_message.Message):
    __slots__ = ("name", "kind", "form", "format", "files", "base")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    form: str
    format: str
    files: _containers.RepeatedCompositeFieldContainer[FileRef]
    base: Input
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., form: _Optional[str] = ..., format: _Optional[str] = ..., files: _Optional[_Iterable[_Union[FileRef, _Mapping]]] = ..., base: _Optional[_Union[Input, _Mapping]] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ("name", "kind", "form", "path")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    form: str
    path: str
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., form: _Optional[str] = ..., path: _Optional[str] = ...) -> None: ...

class Offer(_message.Message):
    __slots__ = ("attempt_id", "fence", "job_id", "method", "method_hash", "entry", "network", "code", "requirements", "environment_lock", "parameters", "inputs", "outputs", "devices", "seed", "resume", "threads", "time_limit", "memory_bytes")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    METHOD_HASH_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_LOCK_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    TIME_LIMIT_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    fence: int
    job_id: int
    method: str
    method_hash: str
    entry: str
    network: bool
    code: _containers.RepeatedCompositeFieldContainer[FileRef]
    requirements: str
    environment_lock: str
    parameters: str
    inputs: _containers.RepeatedCompositeFieldContainer[Input]
    outputs: _containers.RepeatedCompositeFieldContainer[Output]
    devices: _containers.RepeatedScalarFieldContainer[str]
    seed: int
    resume: Input
    threads: int
    time_limit: float
    memory_bytes: int
    def __init__(self, attempt_id: _Optional[int] = ..., fence: _Optional[int] = ..., job_id: _Optional[int] = ..., method: _Optional[str] = ..., method_hash: _Optional[str] = ..., entry: _Optional[str] = ..., network: _Optional[bool] = ..., code: _Optional[_Iterable[_Union[FileRef, _Mapping]]] = ..., requirements: _Optional[str] = ..., environment_lock: _Optional[str] = ..., parameters: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[Input, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[Output, _Mapping]]] = ..., devices: _Optional[_Iterable[str]] = ..., seed: _Optional[int] = ..., resume: _Optional[_Union[Input, _Mapping]] = ..., threads: _Optional[int] = ..., time_limit: _Optional[float] = ..., memory_bytes: _Optional[int] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("attempt_id", "fence")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    fence: int
    def __init__(self, attempt_id: _Optional[int] = ..., fence: _Optional[int] = ...) -> None: ...

class Serve(_message.Message):
    __slots__ = ("replica_id", "generation", "deployment_id", "name", "model", "context_length", "slots", "devices")
    REPLICA_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    replica_id: int
    generation: int
    deployment_id: int
    name: str
    model: Input
    context_length: int
    slots: int
    devices: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, replica_id: _Optional[int] = ..., generation: _Optional[int] = ..., deployment_id: _Optional[int] = ..., name: _Optional[str] = ..., model: _Optional[_Union[Input, _Mapping]] = ..., context_length: _Optional[int] = ..., slots: _Optional[int] = ..., devices: _Optional[_Iterable[str]] = ...) -> None: ...

class StopServing(_message.Message):
    __slots__ = ("replica_id", "generation")
    REPLICA_ID_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    replica_id: int
    generation: int
    def __init__(self, replica_id: _Optional[int] = ..., generation: _Optional[int] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AcceptRequest(_message.Message):
    __slots__ = ("attempt_id", "fence")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    fence: int
    def __init__(self, attempt_id: _Optional[int] = ..., fence: _Optional[int] = ...) -> None: ...

class AcceptReply(_message.Message):
    __slots__ = ("lease_seconds",)
    LEASE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    lease_seconds: float
    def __init__(self, lease_seconds: _Optional[float] = ...) -> None: ...

class DeclineRequest(_message.Message):
    __slots__ = ("attempt_id", "fence", "reason", "params")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    fence: int
    reason: str
    params: str
    def __init__(self, attempt_id: _Optional[int] = ..., fence: _Optional[int] = ..., reason: _Optional[str] = ..., params: _Optional[str] = ...) -> None: ...

class DeclineReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReportStateRequest(_message.Message):
    __slots__ = ("attempt_id", "fence", "sequence", "state", "reason", "params", "environment_lock", "at", "stage", "peak_memory_bytes")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_LOCK_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PEAK_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    fence: int
    sequence: int
    state: str
    reason: str
    params: str
    environment_lock: str
    at: float
    stage: str
    peak_memory_bytes: int
    def __init__(self, attempt_id: _Optional[int] = ..., fence: _Optional[int] = ..., sequence: _Optional[int] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., params: _Optional[str] = ..., environment_lock: _Optional[str] = ..., at: _Optional[float] = ..., stage: _Optional[str] = ..., peak_memory_bytes: _Optional[int] = ...) -> None: ...

class ReportStateReply(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: str
    def __init__(self, state: _Optional[str] = ...) -> None: ...

class AppendLogRequest(_message.Message):
    __slots__ = ("attempt_id", "fence", "stream", "offset", "data")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    fence: int
    stream: str
    offset: int
    data: bytes
    def __init__(self, attempt_id: _Optional[int] = ..., fence: _Optional[int] = ..., stream: _Optional[str] = ..., offset: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class AppendLogReply(_message.Message):
    __slots__ = ("committed",)
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    committed: int
    def __init__(self, committed: _Optional[int] = ...) -> None: ...

class SealLogRequest(_message.Message):
    __slots__ = ("attempt_id", "fence", "stream", "length", "sha256")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    fence: int
    stream: str
    length: int
    sha256: str
    def __init__(self, attempt_id: _Optional[int] = ..., fence: _Optional[int] = ..., stream: _Optional[str] = ..., length: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class SealLogReply(_message.Message):
    __slots__ = ("sealed", "committed")
    SEALED_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    sealed: bool
    committed: int
    def __init__(self, sealed: _Optional[bool] = ..., committed: _Optional[int] = ...) -> None: ...

class AttemptEvent(_message.Message):
    __slots__ = ("sequence", "body")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    body: str
    def __init__(self, sequence: _Optional[int] = ..., body: _Optional[str] = ...) -> None: ...

class AppendEventsRequest(_message.Message):
    __slots__ = ("attempt_id", "fence", "events")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    fence: int
    events: _containers.RepeatedCompositeFieldContainer[AttemptEvent]
    def __init__(self, attempt_id: _Optional[int] = ..., fence: _Optional[int] = ..., events: _Optional[_Iterable[_Union[AttemptEvent, _Mapping]]] = ...) -> None: ...

class AppendEventsReply(_message.Message):
    __slots__ = ("committed",)
    COMMITTED_FIELD_NUMBER: _ClassVar[int]
    committed: int
    def __init__(self, committed: _Optional[int] = ...) -> None: ...

class ArtifactFile(_message.Message):
    __slots__ = ("path", "size", "sha256", "chunks")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    path: str
    size: int
    sha256: str
    chunks: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, path: _Optional[str] = ..., size: _Optional[int] = ..., sha256: _Optional[str] = ..., chunks: _Optional[_Iterable[str]] = ...) -> None: ...

class BeginArtifactRequest(_message.Message):
    __slots__ = ("attempt_id", "fence", "name", "files")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    attempt_id: int
    fence: int
    name: str
    files: _containers.RepeatedCompositeFieldContainer[ArtifactFile]
    def __init__(self, attempt_id: _Optional[int] = ..., fence: _Optional[int] = ..., name: _Optional[str] = ..., files: _Optional[_Iterable[_Union[ArtifactFile, _Mapping]]] = ...) -> None: ...

class BeginArtifactReply(_message.Message):
    __slots__ = ("artifact_id",)
    ARTIFACT_ID_FIELD_NUMBER: _ClassVar[int]
    artifact_id: int
    def __init__(self, artifact_id: _Optional[int] = ...) -> None: ...

class MissingChunksRequest(_message.Message):
    __slots__ = ("artifact_id", "fence")
    ARTIFACT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    artifact_id: int
    fence: int
    def __init__(self, artifact_id: _Optional[int] = ..., fence: _Optional[int] = ...) -> None: ...

class MissingChunksReply(_message.Message):
    __slots__ = ("chunks",)
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    chunks: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, chunks: _Optional[_Iterable[str]] = ...) -> None: ...

class PutChunkRequest(_message.Message):
    __slots__ = ("artifact_id", "fence", "sha256", "data")
    ARTIFACT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    artifact_id: int
    fence: int
    sha256: str
    data: bytes
    def __init__(self, artifact_id: _Optional[int] = ..., fence: _Optional[int] = ..., sha256: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class PutChunkReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CommitArtifactRequest(_message.Message):
    __slots__ = ("artifact_id", "fence")
    ARTIFACT_ID_FIELD_NUMBER: _ClassVar[int]
    FENCE_FIELD_NUMBER: _ClassVar[int]
    artifact_id: int
    fence: int
    def __init__(self, artifact_id: _Optional[int] = ..., fence: _Optional[int] = ...) -> None: ...

class CommitArtifactReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetBlobRequest(_message.Message):
    __slots__ = ("sha256", "offset", "length")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    offset: int
    length: int
    def __init__(self, sha256: _Optional[str] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ...) -> None: ...

class GetBlobReply(_message.Message):
    __slots__ = ("data", "size")
    DATA_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    size: int
    def __init__(self, data: _Optional[bytes] = ..., size: _Optional[int] = ...) -> None: ...

class ReportReplicaRequest(_message.Message):
    __slots__ = ("epoch", "status")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    status: ReplicaStatus
    def __init__(self, epoch: _Optional[int] = ..., status: _Optional[_Union[ReplicaStatus, _Mapping]] = ...) -> None: ...

class ReportReplicaReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ServeUp(_message.Message):
    __slots__ = ("request_id", "epoch", "status", "content_type", "data", "end", "error", "engine_seconds")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ENGINE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    epoch: int
    status: int
    content_type: str
    data: bytes
    end: bool
    error: str
    engine_seconds: float
    def __init__(self, request_id: _Optional[int] = ..., epoch: _Optional[int] = ..., status: _Optional[int] = ..., content_type: _Optional[str] = ..., data: _Optional[bytes] = ..., end: _Optional[bool] = ..., error: _Optional[str] = ..., engine_seconds: _Optional[float] = ...) -> None: ...

class ServeDown(_message.Message):
    __slots__ = ("request_id", "replica_id", "path", "body", "cancel")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REPLICA_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    request_id: int
    replica_id: int
    path: str
    body: bytes
    cancel: bool
    def __init__(self, request_id: _Optional[int] = ..., replica_id: _Optional[int] = ..., path: _Optional[str] = ..., body: _Optional[bytes] = ..., cancel: _Optional[bool] = ...) -> None: ...
