from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WhoAmIRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WhoAmIReply(_message.Message):
    __slots__ = ("user_id", "name", "administrator", "web_url", "title", "language")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADMINISTRATOR_FIELD_NUMBER: _ClassVar[int]
    WEB_URL_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    name: str
    administrator: bool
    web_url: str
    title: str
    language: str
    def __init__(self, user_id: _Optional[int] = ..., name: _Optional[str] = ..., administrator: _Optional[bool] = ..., web_url: _Optional[str] = ..., title: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class SetProfileRequest(_message.Message):
    __slots__ = ("title", "language")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    title: str
    language: str
    def __init__(self, title: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class ChangePasswordRequest(_message.Message):
    __slots__ = ("old", "new")
    OLD_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    old: str
    new: str
    def __init__(self, old: _Optional[str] = ..., new: _Optional[str] = ...) -> None: ...

class ChangePasswordReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Notification(_message.Message):
    __slots__ = ("kind", "noun", "id", "name", "project", "at", "unread", "message", "title")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NOUN_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    noun: str
    id: str
    name: str
    project: str
    at: float
    unread: bool
    message: str
    title: str
    def __init__(self, kind: _Optional[str] = ..., noun: _Optional[str] = ..., id: _Optional[str] = ..., name: _Optional[str] = ..., project: _Optional[str] = ..., at: _Optional[float] = ..., unread: _Optional[bool] = ..., message: _Optional[str] = ..., title: _Optional[str] = ...) -> None: ...

class ListNotificationsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListNotificationsReply(_message.Message):
    __slots__ = ("notifications", "unread")
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FIELD_NUMBER: _ClassVar[int]
    notifications: _containers.RepeatedCompositeFieldContainer[Notification]
    unread: int
    def __init__(self, notifications: _Optional[_Iterable[_Union[Notification, _Mapping]]] = ..., unread: _Optional[int] = ...) -> None: ...

class MarkNotificationsReadRequest(_message.Message):
    __slots__ = ("until",)
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    until: float
    def __init__(self, until: _Optional[float] = ...) -> None: ...

class MarkNotificationsReadReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Project(_message.Message):
    __slots__ = ("id", "name", "title", "role", "thing")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    THING_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    title: str
    role: str
    thing: Thing
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., title: _Optional[str] = ..., role: _Optional[str] = ..., thing: _Optional[_Union[Thing, _Mapping]] = ...) -> None: ...

class ListProjectsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListProjectsReply(_message.Message):
    __slots__ = ("projects",)
    PROJECTS_FIELD_NUMBER: _ClassVar[int]
    projects: _containers.RepeatedCompositeFieldContainer[Project]
    def __init__(self, projects: _Optional[_Iterable[_Union[Project, _Mapping]]] = ...) -> None: ...

class CreateProjectRequest(_message.Message):
    __slots__ = ("name", "title")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("user", "title", "role")
    USER_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    user: str
    title: str
    role: str
    def __init__(self, user: _Optional[str] = ..., title: _Optional[str] = ..., role: _Optional[str] = ...) -> None: ...

class ListMembersRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListMembersReply(_message.Message):
    __slots__ = ("members",)
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[Member]
    def __init__(self, members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ...) -> None: ...

class SetMemberRequest(_message.Message):
    __slots__ = ("project", "user", "role")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    project: str
    user: str
    role: str
    def __init__(self, project: _Optional[str] = ..., user: _Optional[str] = ..., role: _Optional[str] = ...) -> None: ...

class RemoveMemberRequest(_message.Message):
    __slots__ = ("project", "user")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    project: str
    user: str
    def __init__(self, project: _Optional[str] = ..., user: _Optional[str] = ...) -> None: ...

class RemoveMemberReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class User(_message.Message):
    __slots__ = ("id", "name", "title", "administrator", "active", "invited", "created_at", "local")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    ADMINISTRATOR_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    INVITED_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    title: str
    administrator: bool
    active: bool
    invited: bool
    created_at: float
    local: bool
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., title: _Optional[str] = ..., administrator: _Optional[bool] = ..., active: _Optional[bool] = ..., invited: _Optional[bool] = ..., created_at: _Optional[float] = ..., local: _Optional[bool] = ...) -> None: ...

class ListUsersRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListUsersReply(_message.Message):
    __slots__ = ("users",)
    USERS_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[User]
    def __init__(self, users: _Optional[_Iterable[_Union[User, _Mapping]]] = ...) -> None: ...

class InviteUserRequest(_message.Message):
    __slots__ = ("name", "title", "administrator", "project", "role")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    ADMINISTRATOR_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    name: str
    title: str
    administrator: bool
    project: str
    role: str
    def __init__(self, name: _Optional[str] = ..., title: _Optional[str] = ..., administrator: _Optional[bool] = ..., project: _Optional[str] = ..., role: _Optional[str] = ...) -> None: ...

class InviteUserReply(_message.Message):
    __slots__ = ("link",)
    LINK_FIELD_NUMBER: _ClassVar[int]
    link: str
    def __init__(self, link: _Optional[str] = ...) -> None: ...

class DeactivateUserRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ActivateUserRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class SetAdministratorRequest(_message.Message):
    __slots__ = ("name", "administrator")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADMINISTRATOR_FIELD_NUMBER: _ClassVar[int]
    name: str
    administrator: bool
    def __init__(self, name: _Optional[str] = ..., administrator: _Optional[bool] = ...) -> None: ...

class CreateUserLinkRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CreateUserLinkReply(_message.Message):
    __slots__ = ("link",)
    LINK_FIELD_NUMBER: _ClassVar[int]
    link: str
    def __init__(self, link: _Optional[str] = ...) -> None: ...

class SignOutUserRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class Machine(_message.Message):
    __slots__ = ("id", "name", "connectivity", "inventory", "last_seen", "drained", "locked_reason", "labels", "removed_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONNECTIVITY_FIELD_NUMBER: _ClassVar[int]
    INVENTORY_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_FIELD_NUMBER: _ClassVar[int]
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    LOCKED_REASON_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    connectivity: str
    inventory: str
    last_seen: float
    drained: bool
    locked_reason: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    removed_at: float
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., connectivity: _Optional[str] = ..., inventory: _Optional[str] = ..., last_seen: _Optional[float] = ..., drained: _Optional[bool] = ..., locked_reason: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., removed_at: _Optional[float] = ...) -> None: ...

class GetMachineRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class DrainMachineRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class UndrainMachineRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class RevokeMachineRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class DescribeMachineRequest(_message.Message):
    __slots__ = ("id", "name", "labels")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ...) -> None: ...

class RemoveMachineRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class ListMachinesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListMachinesReply(_message.Message):
    __slots__ = ("machines",)
    MACHINES_FIELD_NUMBER: _ClassVar[int]
    machines: _containers.RepeatedCompositeFieldContainer[Machine]
    def __init__(self, machines: _Optional[_Iterable[_Union[Machine, _Mapping]]] = ...) -> None: ...

class CreateJoinTokenRequest(_message.Message):
    __slots__ = ("machine_class", "lifetime_seconds")
    MACHINE_CLASS_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    machine_class: str
    lifetime_seconds: float
    def __init__(self, machine_class: _Optional[str] = ..., lifetime_seconds: _Optional[float] = ...) -> None: ...

class CreateJoinTokenReply(_message.Message):
    __slots__ = ("token", "expires_at")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    token: str
    expires_at: float
    def __init__(self, token: _Optional[str] = ..., expires_at: _Optional[float] = ...) -> None: ...

class Method(_message.Message):
    __slots__ = ("name", "kind", "type", "hash", "manifest")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    type: str
    hash: str
    manifest: str
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., type: _Optional[str] = ..., hash: _Optional[str] = ..., manifest: _Optional[str] = ...) -> None: ...

class MethodVersion(_message.Message):
    __slots__ = ("id", "name", "number", "hash", "source", "state", "current", "author", "created_at", "approved_by", "approved_at", "dry_run_job_id", "dry_run_state", "files", "reused")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    APPROVED_BY_FIELD_NUMBER: _ClassVar[int]
    APPROVED_AT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_STATE_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    REUSED_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    number: int
    hash: str
    source: str
    state: str
    current: bool
    author: str
    created_at: float
    approved_by: str
    approved_at: float
    dry_run_job_id: int
    dry_run_state: str
    files: _containers.RepeatedCompositeFieldContainer[MethodFile]
    reused: bool
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., number: _Optional[int] = ..., hash: _Optional[str] = ..., source: _Optional[str] = ..., state: _Optional[str] = ..., current: _Optional[bool] = ..., author: _Optional[str] = ..., created_at: _Optional[float] = ..., approved_by: _Optional[str] = ..., approved_at: _Optional[float] = ..., dry_run_job_id: _Optional[int] = ..., dry_run_state: _Optional[str] = ..., files: _Optional[_Iterable[_Union[MethodFile, _Mapping]]] = ..., reused: _Optional[bool] = ...) -> None: ...

class MethodFile(_message.Message):
    __slots__ = ("path", "size", "sha256")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    path: str
    size: int
    sha256: str
    def __init__(self, path: _Optional[str] = ..., size: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class ListMethodVersionsRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListMethodVersionsReply(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[MethodVersion]
    def __init__(self, versions: _Optional[_Iterable[_Union[MethodVersion, _Mapping]]] = ...) -> None: ...

class GetMethodFileRequest(_message.Message):
    __slots__ = ("version_id", "path", "offset", "length")
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    version_id: int
    path: str
    offset: int
    length: int
    def __init__(self, version_id: _Optional[int] = ..., path: _Optional[str] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ...) -> None: ...

class GetMethodFileReply(_message.Message):
    __slots__ = ("data", "size")
    DATA_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    size: int
    def __init__(self, data: _Optional[bytes] = ..., size: _Optional[int] = ...) -> None: ...

class CompareMethodVersionsRequest(_message.Message):
    __slots__ = ("old_id", "new_id")
    OLD_ID_FIELD_NUMBER: _ClassVar[int]
    NEW_ID_FIELD_NUMBER: _ClassVar[int]
    old_id: int
    new_id: int
    def __init__(self, old_id: _Optional[int] = ..., new_id: _Optional[int] = ...) -> None: ...

class MethodDifference(_message.Message):
    __slots__ = ("path", "lines")
    PATH_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    path: str
    lines: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, path: _Optional[str] = ..., lines: _Optional[_Iterable[str]] = ...) -> None: ...

class CompareMethodVersionsReply(_message.Message):
    __slots__ = ("files", "kit_differs")
    FILES_FIELD_NUMBER: _ClassVar[int]
    KIT_DIFFERS_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[MethodDifference]
    kit_differs: bool
    def __init__(self, files: _Optional[_Iterable[_Union[MethodDifference, _Mapping]]] = ..., kit_differs: _Optional[bool] = ...) -> None: ...

class UploadMethodRequest(_message.Message):
    __slots__ = ("header", "archive")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    header: UploadMethodHeader
    archive: bytes
    def __init__(self, header: _Optional[_Union[UploadMethodHeader, _Mapping]] = ..., archive: _Optional[bytes] = ...) -> None: ...

class UploadMethodHeader(_message.Message):
    __slots__ = ("check_only", "only_new")
    CHECK_ONLY_FIELD_NUMBER: _ClassVar[int]
    ONLY_NEW_FIELD_NUMBER: _ClassVar[int]
    check_only: bool
    only_new: bool
    def __init__(self, check_only: _Optional[bool] = ..., only_new: _Optional[bool] = ...) -> None: ...

class CopyMethodRequest(_message.Message):
    __slots__ = ("source_id", "name", "type", "display", "description")
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    source_id: int
    name: str
    type: str
    display: str
    description: str
    def __init__(self, source_id: _Optional[int] = ..., name: _Optional[str] = ..., type: _Optional[str] = ..., display: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class TryMethodRequest(_message.Message):
    __slots__ = ("project", "version_id", "machine_id", "parameters")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    MACHINE_ID_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    project: str
    version_id: int
    machine_id: str
    parameters: str
    def __init__(self, project: _Optional[str] = ..., version_id: _Optional[int] = ..., machine_id: _Optional[str] = ..., parameters: _Optional[str] = ...) -> None: ...

class PublishMethodRequest(_message.Message):
    __slots__ = ("version_id",)
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    version_id: int
    def __init__(self, version_id: _Optional[int] = ...) -> None: ...

class DeleteMethodRequest(_message.Message):
    __slots__ = ("version_id",)
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    version_id: int
    def __init__(self, version_id: _Optional[int] = ...) -> None: ...

class RestoreMethodRequest(_message.Message):
    __slots__ = ("version_id",)
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    version_id: int
    def __init__(self, version_id: _Optional[int] = ...) -> None: ...

class ListMethodsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListMethodsReply(_message.Message):
    __slots__ = ("methods",)
    METHODS_FIELD_NUMBER: _ClassVar[int]
    methods: _containers.RepeatedCompositeFieldContainer[Method]
    def __init__(self, methods: _Optional[_Iterable[_Union[Method, _Mapping]]] = ...) -> None: ...

class ListCasesRequest(_message.Message):
    __slots__ = ("domain", "task", "minutes")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    domain: str
    task: str
    minutes: float
    def __init__(self, domain: _Optional[str] = ..., task: _Optional[str] = ..., minutes: _Optional[float] = ...) -> None: ...

class ListCasesReply(_message.Message):
    __slots__ = ("cases",)
    CASES_FIELD_NUMBER: _ClassVar[int]
    cases: _containers.RepeatedCompositeFieldContainer[Case]
    def __init__(self, cases: _Optional[_Iterable[_Union[Case, _Mapping]]] = ...) -> None: ...

class Case(_message.Message):
    __slots__ = ("name", "plan", "saved", "project", "shared", "created_by", "rating", "ratings")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    SAVED_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    CREATED_BY_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    RATINGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    plan: str
    saved: bool
    project: str
    shared: bool
    created_by: str
    rating: float
    ratings: int
    def __init__(self, name: _Optional[str] = ..., plan: _Optional[str] = ..., saved: _Optional[bool] = ..., project: _Optional[str] = ..., shared: _Optional[bool] = ..., created_by: _Optional[str] = ..., rating: _Optional[float] = ..., ratings: _Optional[int] = ...) -> None: ...

class SaveCaseRequest(_message.Message):
    __slots__ = ("run_id", "language", "title", "field", "task", "problem", "need", "result", "with_data", "shared")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    NEED_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    WITH_DATA_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    run_id: int
    language: str
    title: str
    field: str
    task: str
    problem: str
    need: str
    result: str
    with_data: bool
    shared: bool
    def __init__(self, run_id: _Optional[int] = ..., language: _Optional[str] = ..., title: _Optional[str] = ..., field: _Optional[str] = ..., task: _Optional[str] = ..., problem: _Optional[str] = ..., need: _Optional[str] = ..., result: _Optional[str] = ..., with_data: _Optional[bool] = ..., shared: _Optional[bool] = ...) -> None: ...

class ShareCaseRequest(_message.Message):
    __slots__ = ("case", "shared")
    CASE_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    case: str
    shared: bool
    def __init__(self, case: _Optional[str] = ..., shared: _Optional[bool] = ...) -> None: ...

class DeleteCaseRequest(_message.Message):
    __slots__ = ("case",)
    CASE_FIELD_NUMBER: _ClassVar[int]
    case: str
    def __init__(self, case: _Optional[str] = ...) -> None: ...

class DeleteCaseReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ExportCaseRequest(_message.Message):
    __slots__ = ("case",)
    CASE_FIELD_NUMBER: _ClassVar[int]
    case: str
    def __init__(self, case: _Optional[str] = ...) -> None: ...

class ExportCaseReply(_message.Message):
    __slots__ = ("archive",)
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    archive: bytes
    def __init__(self, archive: _Optional[bytes] = ...) -> None: ...

class ImportCaseRequest(_message.Message):
    __slots__ = ("project", "archive", "shared")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    project: str
    archive: bytes
    shared: bool
    def __init__(self, project: _Optional[str] = ..., archive: _Optional[bytes] = ..., shared: _Optional[bool] = ...) -> None: ...

class RateCaseRequest(_message.Message):
    __slots__ = ("case", "rating", "text")
    CASE_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    case: str
    rating: int
    text: str
    def __init__(self, case: _Optional[str] = ..., rating: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...

class CaseNote(_message.Message):
    __slots__ = ("user", "rating", "text", "written_at")
    USER_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_AT_FIELD_NUMBER: _ClassVar[int]
    user: str
    rating: int
    text: str
    written_at: float
    def __init__(self, user: _Optional[str] = ..., rating: _Optional[int] = ..., text: _Optional[str] = ..., written_at: _Optional[float] = ...) -> None: ...

class ListCaseNotesRequest(_message.Message):
    __slots__ = ("case",)
    CASE_FIELD_NUMBER: _ClassVar[int]
    case: str
    def __init__(self, case: _Optional[str] = ...) -> None: ...

class ListCaseNotesReply(_message.Message):
    __slots__ = ("notes",)
    NOTES_FIELD_NUMBER: _ClassVar[int]
    notes: _containers.RepeatedCompositeFieldContainer[CaseNote]
    def __init__(self, notes: _Optional[_Iterable[_Union[CaseNote, _Mapping]]] = ...) -> None: ...

class GetCaseFileRequest(_message.Message):
    __slots__ = ("case", "file")
    CASE_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    case: str
    file: str
    def __init__(self, case: _Optional[str] = ..., file: _Optional[str] = ...) -> None: ...

class GetCaseFileReply(_message.Message):
    __slots__ = ("data",)
    DATA_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    def __init__(self, data: _Optional[bytes] = ...) -> None: ...

class UploadDatasetRequest(_message.Message):
    __slots__ = ("header", "train", "test")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TRAIN_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    header: UploadHeader
    train: bytes
    test: bytes
    def __init__(self, header: _Optional[_Union[UploadHeader, _Mapping]] = ..., train: _Optional[bytes] = ..., test: _Optional[bytes] = ...) -> None: ...

class UploadHeader(_message.Message):
    __slots__ = ("project", "name", "format", "test_share", "split_seed", "leave_out_faulty")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TEST_SHARE_FIELD_NUMBER: _ClassVar[int]
    SPLIT_SEED_FIELD_NUMBER: _ClassVar[int]
    LEAVE_OUT_FAULTY_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    format: str
    test_share: float
    split_seed: int
    leave_out_faulty: bool
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., format: _Optional[str] = ..., test_share: _Optional[float] = ..., split_seed: _Optional[int] = ..., leave_out_faulty: _Optional[bool] = ...) -> None: ...

class BeginUploadRequest(_message.Message):
    __slots__ = ("project", "file_name", "size", "fingerprint")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    project: str
    file_name: str
    size: int
    fingerprint: str
    def __init__(self, project: _Optional[str] = ..., file_name: _Optional[str] = ..., size: _Optional[int] = ..., fingerprint: _Optional[str] = ...) -> None: ...

class Upload(_message.Message):
    __slots__ = ("id", "project", "file_name", "size", "arrived", "created_at", "over_at", "fingerprint")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    OVER_AT_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    file_name: str
    size: int
    arrived: int
    created_at: float
    over_at: float
    fingerprint: str
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., file_name: _Optional[str] = ..., size: _Optional[int] = ..., arrived: _Optional[int] = ..., created_at: _Optional[float] = ..., over_at: _Optional[float] = ..., fingerprint: _Optional[str] = ...) -> None: ...

class UploadPlace(_message.Message):
    __slots__ = ("id", "offset")
    ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    id: int
    offset: int
    def __init__(self, id: _Optional[int] = ..., offset: _Optional[int] = ...) -> None: ...

class AppendUploadRequest(_message.Message):
    __slots__ = ("place", "data")
    PLACE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    place: UploadPlace
    data: bytes
    def __init__(self, place: _Optional[_Union[UploadPlace, _Mapping]] = ..., data: _Optional[bytes] = ...) -> None: ...

class GetUploadRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ListUploadsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListUploadsReply(_message.Message):
    __slots__ = ("uploads",)
    UPLOADS_FIELD_NUMBER: _ClassVar[int]
    uploads: _containers.RepeatedCompositeFieldContainer[Upload]
    def __init__(self, uploads: _Optional[_Iterable[_Union[Upload, _Mapping]]] = ...) -> None: ...

class CancelUploadRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class BeginDraftRequest(_message.Message):
    __slots__ = ("project", "train_upload_id", "test_upload_id", "name")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TRAIN_UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    TEST_UPLOAD_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    project: str
    train_upload_id: int
    test_upload_id: int
    name: str
    def __init__(self, project: _Optional[str] = ..., train_upload_id: _Optional[int] = ..., test_upload_id: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class Draft(_message.Message):
    __slots__ = ("id", "project", "name", "file_name", "state", "version", "done_bytes", "of_bytes", "waits", "error", "message", "dataset_version_id", "source", "mapping", "split", "choices", "look", "report", "created_at", "source_id", "base_model_id", "edits_version_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FILE_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DONE_BYTES_FIELD_NUMBER: _ClassVar[int]
    OF_BYTES_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    MAPPING_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    LOOK_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    EDITS_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    name: str
    file_name: str
    state: str
    version: int
    done_bytes: int
    of_bytes: int
    waits: bool
    error: str
    message: str
    dataset_version_id: int
    source: str
    mapping: str
    split: str
    choices: str
    look: str
    report: str
    created_at: float
    source_id: int
    base_model_id: int
    edits_version_id: int
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., file_name: _Optional[str] = ..., state: _Optional[str] = ..., version: _Optional[int] = ..., done_bytes: _Optional[int] = ..., of_bytes: _Optional[int] = ..., waits: _Optional[bool] = ..., error: _Optional[str] = ..., message: _Optional[str] = ..., dataset_version_id: _Optional[int] = ..., source: _Optional[str] = ..., mapping: _Optional[str] = ..., split: _Optional[str] = ..., choices: _Optional[str] = ..., look: _Optional[str] = ..., report: _Optional[str] = ..., created_at: _Optional[float] = ..., source_id: _Optional[int] = ..., base_model_id: _Optional[int] = ..., edits_version_id: _Optional[int] = ...) -> None: ...

class GetDraftRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class WaitDraftRequest(_message.Message):
    __slots__ = ("id", "after_version", "wait_seconds")
    ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    id: int
    after_version: int
    wait_seconds: float
    def __init__(self, id: _Optional[int] = ..., after_version: _Optional[int] = ..., wait_seconds: _Optional[float] = ...) -> None: ...

class ListDraftsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListDraftsReply(_message.Message):
    __slots__ = ("drafts",)
    DRAFTS_FIELD_NUMBER: _ClassVar[int]
    drafts: _containers.RepeatedCompositeFieldContainer[Draft]
    def __init__(self, drafts: _Optional[_Iterable[_Union[Draft, _Mapping]]] = ...) -> None: ...

class ChangeDraftRequest(_message.Message):
    __slots__ = ("id", "mapping", "choices", "split", "source", "base_model_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    MAPPING_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    mapping: str
    choices: str
    split: str
    source: str
    base_model_id: int
    def __init__(self, id: _Optional[int] = ..., mapping: _Optional[str] = ..., choices: _Optional[str] = ..., split: _Optional[str] = ..., source: _Optional[str] = ..., base_model_id: _Optional[int] = ...) -> None: ...

class PreviewDraftRequest(_message.Message):
    __slots__ = ("id", "mapping")
    ID_FIELD_NUMBER: _ClassVar[int]
    MAPPING_FIELD_NUMBER: _ClassVar[int]
    id: int
    mapping: str
    def __init__(self, id: _Optional[int] = ..., mapping: _Optional[str] = ...) -> None: ...

class PreviewDraftReply(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[PreviewedRecord]
    def __init__(self, records: _Optional[_Iterable[_Union[PreviewedRecord, _Mapping]]] = ...) -> None: ...

class PreviewedRecord(_message.Message):
    __slots__ = ("record", "row", "message")
    RECORD_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    record: str
    row: str
    message: str
    def __init__(self, record: _Optional[str] = ..., row: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class SaveDraftRequest(_message.Message):
    __slots__ = ("id", "name")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class CancelDraftRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ListConnectorsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListConnectorsReply(_message.Message):
    __slots__ = ("connectors",)
    CONNECTORS_FIELD_NUMBER: _ClassVar[int]
    connectors: _containers.RepeatedCompositeFieldContainer[Connector]
    def __init__(self, connectors: _Optional[_Iterable[_Union[Connector, _Mapping]]] = ...) -> None: ...

class Connector(_message.Message):
    __slots__ = ("name", "display", "description", "parameters", "secrets", "message")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    name: str
    display: str
    description: str
    parameters: str
    secrets: str
    message: str
    def __init__(self, name: _Optional[str] = ..., display: _Optional[str] = ..., description: _Optional[str] = ..., parameters: _Optional[str] = ..., secrets: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class LookAtSourceRequest(_message.Message):
    __slots__ = ("project", "connector", "parameters", "secrets", "like_id")
    class SecretsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    LIKE_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    connector: str
    parameters: str
    secrets: _containers.ScalarMap[str, str]
    like_id: int
    def __init__(self, project: _Optional[str] = ..., connector: _Optional[str] = ..., parameters: _Optional[str] = ..., secrets: _Optional[_Mapping[str, str]] = ..., like_id: _Optional[int] = ...) -> None: ...

class LookAtSourceReply(_message.Message):
    __slots__ = ("items", "is_cut")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    IS_CUT_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[SourceItem]
    is_cut: bool
    def __init__(self, items: _Optional[_Iterable[_Union[SourceItem, _Mapping]]] = ..., is_cut: _Optional[bool] = ...) -> None: ...

class SourceItem(_message.Message):
    __slots__ = ("name", "size", "parameters")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    name: str
    size: int
    parameters: str
    def __init__(self, name: _Optional[str] = ..., size: _Optional[int] = ..., parameters: _Optional[str] = ...) -> None: ...

class BeginSourceRequest(_message.Message):
    __slots__ = ("project", "connector", "parameters", "secrets", "name", "like_id")
    class SecretsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LIKE_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    connector: str
    parameters: str
    secrets: _containers.ScalarMap[str, str]
    name: str
    like_id: int
    def __init__(self, project: _Optional[str] = ..., connector: _Optional[str] = ..., parameters: _Optional[str] = ..., secrets: _Optional[_Mapping[str, str]] = ..., name: _Optional[str] = ..., like_id: _Optional[int] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("id", "project", "dataset", "connector", "parameters", "has_secrets", "label", "schedule", "next_at", "looked_at", "changed_at", "error", "message", "draft_id", "created_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    CONNECTOR_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    HAS_SECRETS_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    LOOKED_AT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    dataset: str
    connector: str
    parameters: str
    has_secrets: bool
    label: str
    schedule: Schedule
    next_at: float
    looked_at: float
    changed_at: float
    error: str
    message: str
    draft_id: int
    created_at: float
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., dataset: _Optional[str] = ..., connector: _Optional[str] = ..., parameters: _Optional[str] = ..., has_secrets: _Optional[bool] = ..., label: _Optional[str] = ..., schedule: _Optional[_Union[Schedule, _Mapping]] = ..., next_at: _Optional[float] = ..., looked_at: _Optional[float] = ..., changed_at: _Optional[float] = ..., error: _Optional[str] = ..., message: _Optional[str] = ..., draft_id: _Optional[int] = ..., created_at: _Optional[float] = ...) -> None: ...

class Schedule(_message.Message):
    __slots__ = ("every", "cron", "time_zone")
    EVERY_FIELD_NUMBER: _ClassVar[int]
    CRON_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    every: float
    cron: str
    time_zone: str
    def __init__(self, every: _Optional[float] = ..., cron: _Optional[str] = ..., time_zone: _Optional[str] = ...) -> None: ...

class ListSourcesRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListSourcesReply(_message.Message):
    __slots__ = ("sources",)
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    def __init__(self, sources: _Optional[_Iterable[_Union[Source, _Mapping]]] = ...) -> None: ...

class GetSourceRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class RefreshSourceRequest(_message.Message):
    __slots__ = ("id", "overwrite")
    ID_FIELD_NUMBER: _ClassVar[int]
    OVERWRITE_FIELD_NUMBER: _ClassVar[int]
    id: int
    overwrite: bool
    def __init__(self, id: _Optional[int] = ..., overwrite: _Optional[bool] = ...) -> None: ...

class ScheduleSourceRequest(_message.Message):
    __slots__ = ("id", "schedule")
    ID_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    id: int
    schedule: Schedule
    def __init__(self, id: _Optional[int] = ..., schedule: _Optional[_Union[Schedule, _Mapping]] = ...) -> None: ...

class RemoveSourceRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class RemoveSourceReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AddTriggerRequest(_message.Message):
    __slots__ = ("workflow_id", "kind", "schedule", "missed", "dataset", "quiet", "given")
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    QUIET_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    workflow_id: int
    kind: str
    schedule: Schedule
    missed: str
    dataset: str
    quiet: QuietHours
    given: str
    def __init__(self, workflow_id: _Optional[int] = ..., kind: _Optional[str] = ..., schedule: _Optional[_Union[Schedule, _Mapping]] = ..., missed: _Optional[str] = ..., dataset: _Optional[str] = ..., quiet: _Optional[_Union[QuietHours, _Mapping]] = ..., given: _Optional[str] = ...) -> None: ...

class QuietHours(_message.Message):
    __slots__ = ("begin", "end", "time_zone")
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    begin: str
    end: str
    time_zone: str
    def __init__(self, begin: _Optional[str] = ..., end: _Optional[str] = ..., time_zone: _Optional[str] = ...) -> None: ...

class AddTriggerReply(_message.Message):
    __slots__ = ("trigger", "key")
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    trigger: Trigger
    key: str
    def __init__(self, trigger: _Optional[_Union[Trigger, _Mapping]] = ..., key: _Optional[str] = ...) -> None: ...

class Trigger(_message.Message):
    __slots__ = ("id", "workflow_id", "kind", "schedule", "missed", "dataset", "quiet", "given", "next_at", "stopped", "error", "message", "added_by", "created_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    QUIET_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ADDED_BY_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: int
    workflow_id: int
    kind: str
    schedule: Schedule
    missed: str
    dataset: str
    quiet: QuietHours
    given: str
    next_at: float
    stopped: bool
    error: str
    message: str
    added_by: str
    created_at: float
    def __init__(self, id: _Optional[int] = ..., workflow_id: _Optional[int] = ..., kind: _Optional[str] = ..., schedule: _Optional[_Union[Schedule, _Mapping]] = ..., missed: _Optional[str] = ..., dataset: _Optional[str] = ..., quiet: _Optional[_Union[QuietHours, _Mapping]] = ..., given: _Optional[str] = ..., next_at: _Optional[float] = ..., stopped: _Optional[bool] = ..., error: _Optional[str] = ..., message: _Optional[str] = ..., added_by: _Optional[str] = ..., created_at: _Optional[float] = ...) -> None: ...

class ListTriggersRequest(_message.Message):
    __slots__ = ("workflow_id",)
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    workflow_id: int
    def __init__(self, workflow_id: _Optional[int] = ...) -> None: ...

class ListTriggersReply(_message.Message):
    __slots__ = ("triggers",)
    TRIGGERS_FIELD_NUMBER: _ClassVar[int]
    triggers: _containers.RepeatedCompositeFieldContainer[Trigger]
    def __init__(self, triggers: _Optional[_Iterable[_Union[Trigger, _Mapping]]] = ...) -> None: ...

class ListFiringsRequest(_message.Message):
    __slots__ = ("trigger_id", "limit")
    TRIGGER_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    trigger_id: int
    limit: int
    def __init__(self, trigger_id: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListFiringsReply(_message.Message):
    __slots__ = ("firings",)
    FIRINGS_FIELD_NUMBER: _ClassVar[int]
    firings: _containers.RepeatedCompositeFieldContainer[Firing]
    def __init__(self, firings: _Optional[_Iterable[_Union[Firing, _Mapping]]] = ...) -> None: ...

class Firing(_message.Message):
    __slots__ = ("id", "due_at", "outcome", "run_id", "error", "message", "created_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: int
    due_at: float
    outcome: str
    run_id: int
    error: str
    message: str
    created_at: float
    def __init__(self, id: _Optional[int] = ..., due_at: _Optional[float] = ..., outcome: _Optional[str] = ..., run_id: _Optional[int] = ..., error: _Optional[str] = ..., message: _Optional[str] = ..., created_at: _Optional[float] = ...) -> None: ...

class RemoveTriggerRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class RemoveTriggerReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListListenerWaysRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListListenerWaysReply(_message.Message):
    __slots__ = ("ways", "events")
    WAYS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    ways: _containers.RepeatedCompositeFieldContainer[ListenerWay]
    events: _containers.RepeatedCompositeFieldContainer[ListenerEvent]
    def __init__(self, ways: _Optional[_Iterable[_Union[ListenerWay, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[ListenerEvent, _Mapping]]] = ...) -> None: ...

class ListenerWay(_message.Message):
    __slots__ = ("name", "choices", "message")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    name: str
    choices: _containers.RepeatedScalarFieldContainer[str]
    message: str
    def __init__(self, name: _Optional[str] = ..., choices: _Optional[_Iterable[str]] = ..., message: _Optional[str] = ...) -> None: ...

class ListenerEvent(_message.Message):
    __slots__ = ("name", "display")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_FIELD_NUMBER: _ClassVar[int]
    name: str
    display: str
    def __init__(self, name: _Optional[str] = ..., display: _Optional[str] = ...) -> None: ...

class AddListenerRequest(_message.Message):
    __slots__ = ("project", "way", "address", "events", "language")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WAY_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    project: str
    way: str
    address: str
    events: _containers.RepeatedScalarFieldContainer[str]
    language: str
    def __init__(self, project: _Optional[str] = ..., way: _Optional[str] = ..., address: _Optional[str] = ..., events: _Optional[_Iterable[str]] = ..., language: _Optional[str] = ...) -> None: ...

class AddListenerReply(_message.Message):
    __slots__ = ("listener", "key")
    LISTENER_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    listener: Listener
    key: str
    def __init__(self, listener: _Optional[_Union[Listener, _Mapping]] = ..., key: _Optional[str] = ...) -> None: ...

class Listener(_message.Message):
    __slots__ = ("id", "project", "way", "label", "events", "language", "stopped", "error", "message", "failed_at", "added_by", "created_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WAY_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FAILED_AT_FIELD_NUMBER: _ClassVar[int]
    ADDED_BY_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    way: str
    label: str
    events: _containers.RepeatedScalarFieldContainer[str]
    language: str
    stopped: bool
    error: str
    message: str
    failed_at: float
    added_by: str
    created_at: float
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., way: _Optional[str] = ..., label: _Optional[str] = ..., events: _Optional[_Iterable[str]] = ..., language: _Optional[str] = ..., stopped: _Optional[bool] = ..., error: _Optional[str] = ..., message: _Optional[str] = ..., failed_at: _Optional[float] = ..., added_by: _Optional[str] = ..., created_at: _Optional[float] = ...) -> None: ...

class ListListenersRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListListenersReply(_message.Message):
    __slots__ = ("listeners",)
    LISTENERS_FIELD_NUMBER: _ClassVar[int]
    listeners: _containers.RepeatedCompositeFieldContainer[Listener]
    def __init__(self, listeners: _Optional[_Iterable[_Union[Listener, _Mapping]]] = ...) -> None: ...

class ChangeListenerRequest(_message.Message):
    __slots__ = ("id", "events")
    ID_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    id: int
    events: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, id: _Optional[int] = ..., events: _Optional[_Iterable[str]] = ...) -> None: ...

class TestListenerRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class RemoveListenerRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class RemoveListenerReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("id", "listener_id", "event", "payload", "outcome", "attempts", "next_at", "tried_at", "code", "error", "message", "created_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    LISTENER_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    TRIED_AT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: int
    listener_id: int
    event: str
    payload: str
    outcome: str
    attempts: int
    next_at: float
    tried_at: float
    code: int
    error: str
    message: str
    created_at: float
    def __init__(self, id: _Optional[int] = ..., listener_id: _Optional[int] = ..., event: _Optional[str] = ..., payload: _Optional[str] = ..., outcome: _Optional[str] = ..., attempts: _Optional[int] = ..., next_at: _Optional[float] = ..., tried_at: _Optional[float] = ..., code: _Optional[int] = ..., error: _Optional[str] = ..., message: _Optional[str] = ..., created_at: _Optional[float] = ...) -> None: ...

class ListDeliveriesRequest(_message.Message):
    __slots__ = ("listener_id", "before_id", "limit")
    LISTENER_ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_ID_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    listener_id: int
    before_id: int
    limit: int
    def __init__(self, listener_id: _Optional[int] = ..., before_id: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListDeliveriesReply(_message.Message):
    __slots__ = ("deliveries",)
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[Delivery]
    def __init__(self, deliveries: _Optional[_Iterable[_Union[Delivery, _Mapping]]] = ...) -> None: ...

class ReplayDeliveryRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class DatasetVersion(_message.Message):
    __slots__ = ("id", "dataset", "number", "hash", "format", "train_rows", "test_rows", "created_at", "reused", "left_out_rows", "thing")
    ID_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TRAIN_ROWS_FIELD_NUMBER: _ClassVar[int]
    TEST_ROWS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    REUSED_FIELD_NUMBER: _ClassVar[int]
    LEFT_OUT_ROWS_FIELD_NUMBER: _ClassVar[int]
    THING_FIELD_NUMBER: _ClassVar[int]
    id: int
    dataset: str
    number: int
    hash: str
    format: str
    train_rows: int
    test_rows: int
    created_at: float
    reused: bool
    left_out_rows: int
    thing: Thing
    def __init__(self, id: _Optional[int] = ..., dataset: _Optional[str] = ..., number: _Optional[int] = ..., hash: _Optional[str] = ..., format: _Optional[str] = ..., train_rows: _Optional[int] = ..., test_rows: _Optional[int] = ..., created_at: _Optional[float] = ..., reused: _Optional[bool] = ..., left_out_rows: _Optional[int] = ..., thing: _Optional[_Union[Thing, _Mapping]] = ...) -> None: ...

class ListDatasetsRequest(_message.Message):
    __slots__ = ("project", "tag")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    tag: str
    def __init__(self, project: _Optional[str] = ..., tag: _Optional[str] = ...) -> None: ...

class ListDatasetsReply(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[DatasetVersion]
    def __init__(self, versions: _Optional[_Iterable[_Union[DatasetVersion, _Mapping]]] = ...) -> None: ...

class GetDatasetVersionRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class DatasetVersionDetails(_message.Message):
    __slots__ = ("version", "mapping", "source", "facts", "report", "job_ids", "model_ids", "is_being_checked", "check_message")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MAPPING_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    MODEL_IDS_FIELD_NUMBER: _ClassVar[int]
    IS_BEING_CHECKED_FIELD_NUMBER: _ClassVar[int]
    CHECK_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    version: DatasetVersion
    mapping: str
    source: str
    facts: str
    report: str
    job_ids: _containers.RepeatedScalarFieldContainer[int]
    model_ids: _containers.RepeatedScalarFieldContainer[int]
    is_being_checked: bool
    check_message: str
    def __init__(self, version: _Optional[_Union[DatasetVersion, _Mapping]] = ..., mapping: _Optional[str] = ..., source: _Optional[str] = ..., facts: _Optional[str] = ..., report: _Optional[str] = ..., job_ids: _Optional[_Iterable[int]] = ..., model_ids: _Optional[_Iterable[int]] = ..., is_being_checked: _Optional[bool] = ..., check_message: _Optional[str] = ...) -> None: ...

class NumberedRow(_message.Message):
    __slots__ = ("number", "row")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    number: int
    row: str
    def __init__(self, number: _Optional[int] = ..., row: _Optional[str] = ...) -> None: ...

class SearchRowsRequest(_message.Message):
    __slots__ = ("dataset_version_id", "split", "text", "check", "offset", "limit", "after")
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    dataset_version_id: int
    split: str
    text: str
    check: str
    offset: int
    limit: int
    after: int
    def __init__(self, dataset_version_id: _Optional[int] = ..., split: _Optional[str] = ..., text: _Optional[str] = ..., check: _Optional[str] = ..., offset: _Optional[int] = ..., limit: _Optional[int] = ..., after: _Optional[int] = ...) -> None: ...

class SearchRowsReply(_message.Message):
    __slots__ = ("rows", "total", "after")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[NumberedRow]
    total: int
    after: int
    def __init__(self, rows: _Optional[_Iterable[_Union[NumberedRow, _Mapping]]] = ..., total: _Optional[int] = ..., after: _Optional[int] = ...) -> None: ...

class SeeRowRequest(_message.Message):
    __slots__ = ("dataset_version_id", "draft_id", "split", "number", "model_id", "learn_from", "max_length")
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    DRAFT_ID_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    LEARN_FROM_FIELD_NUMBER: _ClassVar[int]
    MAX_LENGTH_FIELD_NUMBER: _ClassVar[int]
    dataset_version_id: int
    draft_id: int
    split: str
    number: int
    model_id: int
    learn_from: str
    max_length: int
    def __init__(self, dataset_version_id: _Optional[int] = ..., draft_id: _Optional[int] = ..., split: _Optional[str] = ..., number: _Optional[int] = ..., model_id: _Optional[int] = ..., learn_from: _Optional[str] = ..., max_length: _Optional[int] = ...) -> None: ...

class SeenRow(_message.Message):
    __slots__ = ("model_id", "model", "limit", "learn_from", "by_template", "examples", "hidden_examples")
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    LEARN_FROM_FIELD_NUMBER: _ClassVar[int]
    BY_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    model_id: int
    model: str
    limit: int
    learn_from: str
    by_template: bool
    examples: _containers.RepeatedCompositeFieldContainer[SeenExample]
    hidden_examples: int
    def __init__(self, model_id: _Optional[int] = ..., model: _Optional[str] = ..., limit: _Optional[int] = ..., learn_from: _Optional[str] = ..., by_template: _Optional[bool] = ..., examples: _Optional[_Iterable[_Union[SeenExample, _Mapping]]] = ..., hidden_examples: _Optional[int] = ...) -> None: ...

class SeenExample(_message.Message):
    __slots__ = ("tokens", "learned_tokens", "cut_tokens", "answer", "is_refused", "pieces", "hidden_after", "hidden_pieces")
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    LEARNED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    IS_REFUSED_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_AFTER_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_PIECES_FIELD_NUMBER: _ClassVar[int]
    tokens: int
    learned_tokens: int
    cut_tokens: int
    answer: str
    is_refused: bool
    pieces: _containers.RepeatedCompositeFieldContainer[SeenPiece]
    hidden_after: int
    hidden_pieces: int
    def __init__(self, tokens: _Optional[int] = ..., learned_tokens: _Optional[int] = ..., cut_tokens: _Optional[int] = ..., answer: _Optional[str] = ..., is_refused: _Optional[bool] = ..., pieces: _Optional[_Iterable[_Union[SeenPiece, _Mapping]]] = ..., hidden_after: _Optional[int] = ..., hidden_pieces: _Optional[int] = ...) -> None: ...

class SeenPiece(_message.Message):
    __slots__ = ("text", "ids", "is_learned", "is_special", "is_cut")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    IS_LEARNED_FIELD_NUMBER: _ClassVar[int]
    IS_SPECIAL_FIELD_NUMBER: _ClassVar[int]
    IS_CUT_FIELD_NUMBER: _ClassVar[int]
    text: str
    ids: _containers.RepeatedScalarFieldContainer[int]
    is_learned: bool
    is_special: bool
    is_cut: bool
    def __init__(self, text: _Optional[str] = ..., ids: _Optional[_Iterable[int]] = ..., is_learned: _Optional[bool] = ..., is_special: _Optional[bool] = ..., is_cut: _Optional[bool] = ...) -> None: ...

class MeasureLengthsRequest(_message.Message):
    __slots__ = ("dataset_version_id", "model_id")
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    dataset_version_id: int
    model_id: int
    def __init__(self, dataset_version_id: _Optional[int] = ..., model_id: _Optional[int] = ...) -> None: ...

class MeasuredLengths(_message.Message):
    __slots__ = ("model_id", "model", "limit", "counted_rows", "edges", "counts")
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    COUNTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    model_id: int
    model: str
    limit: int
    counted_rows: int
    edges: _containers.RepeatedScalarFieldContainer[int]
    counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, model_id: _Optional[int] = ..., model: _Optional[str] = ..., limit: _Optional[int] = ..., counted_rows: _Optional[int] = ..., edges: _Optional[_Iterable[int]] = ..., counts: _Optional[_Iterable[int]] = ...) -> None: ...

class EditRowsRequest(_message.Message):
    __slots__ = ("dataset_version_id", "split", "changed", "removed", "added")
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    dataset_version_id: int
    split: str
    changed: _containers.RepeatedCompositeFieldContainer[NumberedRow]
    removed: _containers.RepeatedScalarFieldContainer[int]
    added: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, dataset_version_id: _Optional[int] = ..., split: _Optional[str] = ..., changed: _Optional[_Iterable[_Union[NumberedRow, _Mapping]]] = ..., removed: _Optional[_Iterable[int]] = ..., added: _Optional[_Iterable[str]] = ...) -> None: ...

class EditRowsReply(_message.Message):
    __slots__ = ("version", "draft")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    version: DatasetVersion
    draft: Draft
    def __init__(self, version: _Optional[_Union[DatasetVersion, _Mapping]] = ..., draft: _Optional[_Union[Draft, _Mapping]] = ...) -> None: ...

class CompareDatasetVersionsRequest(_message.Message):
    __slots__ = ("old_id", "new_id", "offset", "limit")
    OLD_ID_FIELD_NUMBER: _ClassVar[int]
    NEW_ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    old_id: int
    new_id: int
    offset: int
    limit: int
    def __init__(self, old_id: _Optional[int] = ..., new_id: _Optional[int] = ..., offset: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class DifferingRow(_message.Message):
    __slots__ = ("kind", "split", "number", "old", "new")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    OLD_FIELD_NUMBER: _ClassVar[int]
    NEW_FIELD_NUMBER: _ClassVar[int]
    kind: str
    split: str
    number: int
    old: str
    new: str
    def __init__(self, kind: _Optional[str] = ..., split: _Optional[str] = ..., number: _Optional[int] = ..., old: _Optional[str] = ..., new: _Optional[str] = ...) -> None: ...

class CompareDatasetVersionsReply(_message.Message):
    __slots__ = ("added", "removed", "changed", "is_cut", "rows")
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    IS_CUT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    added: int
    removed: int
    changed: int
    is_cut: bool
    rows: _containers.RepeatedCompositeFieldContainer[DifferingRow]
    def __init__(self, added: _Optional[int] = ..., removed: _Optional[int] = ..., changed: _Optional[int] = ..., is_cut: _Optional[bool] = ..., rows: _Optional[_Iterable[_Union[DifferingRow, _Mapping]]] = ...) -> None: ...

class ListRowsRequest(_message.Message):
    __slots__ = ("dataset_version_id", "split", "offset", "limit")
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    dataset_version_id: int
    split: str
    offset: int
    limit: int
    def __init__(self, dataset_version_id: _Optional[int] = ..., split: _Optional[str] = ..., offset: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListRowsReply(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, rows: _Optional[_Iterable[str]] = ...) -> None: ...

class Endpoint(_message.Message):
    __slots__ = ("id", "project", "name", "address", "model", "has_key", "daily_calls", "calls_today", "created_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    HAS_KEY_FIELD_NUMBER: _ClassVar[int]
    DAILY_CALLS_FIELD_NUMBER: _ClassVar[int]
    CALLS_TODAY_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    name: str
    address: str
    model: str
    has_key: bool
    daily_calls: int
    calls_today: int
    created_at: float
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., address: _Optional[str] = ..., model: _Optional[str] = ..., has_key: _Optional[bool] = ..., daily_calls: _Optional[int] = ..., calls_today: _Optional[int] = ..., created_at: _Optional[float] = ...) -> None: ...

class ListEndpointsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListEndpointsReply(_message.Message):
    __slots__ = ("endpoints",)
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedCompositeFieldContainer[Endpoint]
    def __init__(self, endpoints: _Optional[_Iterable[_Union[Endpoint, _Mapping]]] = ...) -> None: ...

class SaveEndpointRequest(_message.Message):
    __slots__ = ("project", "name", "address", "model", "key", "daily_calls")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    DAILY_CALLS_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    address: str
    model: str
    key: str
    daily_calls: int
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., address: _Optional[str] = ..., model: _Optional[str] = ..., key: _Optional[str] = ..., daily_calls: _Optional[int] = ...) -> None: ...

class TestEndpointRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class TestEndpointReply(_message.Message):
    __slots__ = ("answer", "seconds")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    answer: str
    seconds: float
    def __init__(self, answer: _Optional[str] = ..., seconds: _Optional[float] = ...) -> None: ...

class RemoveEndpointRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class RemoveEndpointReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StartLabellingRequest(_message.Message):
    __slots__ = ("project", "dataset_version_id", "kind", "deployment", "split", "numbers", "text", "check", "count", "name", "instruction", "per_row", "overlap", "seed", "endpoint")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    PER_ROW_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    project: str
    dataset_version_id: int
    kind: str
    deployment: str
    split: str
    numbers: _containers.RepeatedScalarFieldContainer[int]
    text: str
    check: str
    count: int
    name: str
    instruction: str
    per_row: int
    overlap: float
    seed: int
    endpoint: str
    def __init__(self, project: _Optional[str] = ..., dataset_version_id: _Optional[int] = ..., kind: _Optional[str] = ..., deployment: _Optional[str] = ..., split: _Optional[str] = ..., numbers: _Optional[_Iterable[int]] = ..., text: _Optional[str] = ..., check: _Optional[str] = ..., count: _Optional[int] = ..., name: _Optional[str] = ..., instruction: _Optional[str] = ..., per_row: _Optional[int] = ..., overlap: _Optional[float] = ..., seed: _Optional[int] = ..., endpoint: _Optional[str] = ...) -> None: ...

class GetLabellingRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ListLabellingsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListLabellingsReply(_message.Message):
    __slots__ = ("labellings",)
    LABELLINGS_FIELD_NUMBER: _ClassVar[int]
    labellings: _containers.RepeatedCompositeFieldContainer[Labelling]
    def __init__(self, labellings: _Optional[_Iterable[_Union[Labelling, _Mapping]]] = ...) -> None: ...

class WaitLabellingRequest(_message.Message):
    __slots__ = ("id", "after_version", "wait_seconds")
    ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    id: int
    after_version: int
    wait_seconds: float
    def __init__(self, id: _Optional[int] = ..., after_version: _Optional[int] = ..., wait_seconds: _Optional[float] = ...) -> None: ...

class StopLabellingRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ResumeLabellingRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class CloseLabellingRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class Agreement(_message.Message):
    __slots__ = ("first", "second", "n", "share", "kappa", "low", "high", "telling")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    KAPPA_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    TELLING_FIELD_NUMBER: _ClassVar[int]
    first: str
    second: str
    n: int
    share: float
    kappa: float
    low: float
    high: float
    telling: bool
    def __init__(self, first: _Optional[str] = ..., second: _Optional[str] = ..., n: _Optional[int] = ..., share: _Optional[float] = ..., kappa: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., telling: _Optional[bool] = ...) -> None: ...

class Labelling(_message.Message):
    __slots__ = ("id", "project", "name", "dataset_version_id", "kind", "asked", "instruction", "per_row", "overlap", "seed", "state", "message", "version", "items", "waiting", "unusable", "accepted", "corrected", "rejected", "disagreed", "agreements", "made_version_id", "created_at", "newer_version_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    PER_ROW_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    UNUSABLE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    DISAGREED_FIELD_NUMBER: _ClassVar[int]
    AGREEMENTS_FIELD_NUMBER: _ClassVar[int]
    MADE_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    NEWER_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    name: str
    dataset_version_id: int
    kind: str
    asked: str
    instruction: str
    per_row: int
    overlap: float
    seed: int
    state: str
    message: str
    version: int
    items: int
    waiting: int
    unusable: int
    accepted: int
    corrected: int
    rejected: int
    disagreed: int
    agreements: _containers.RepeatedCompositeFieldContainer[Agreement]
    made_version_id: int
    created_at: float
    newer_version_id: int
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., dataset_version_id: _Optional[int] = ..., kind: _Optional[str] = ..., asked: _Optional[str] = ..., instruction: _Optional[str] = ..., per_row: _Optional[int] = ..., overlap: _Optional[float] = ..., seed: _Optional[int] = ..., state: _Optional[str] = ..., message: _Optional[str] = ..., version: _Optional[int] = ..., items: _Optional[int] = ..., waiting: _Optional[int] = ..., unusable: _Optional[int] = ..., accepted: _Optional[int] = ..., corrected: _Optional[int] = ..., rejected: _Optional[int] = ..., disagreed: _Optional[int] = ..., agreements: _Optional[_Iterable[_Union[Agreement, _Mapping]]] = ..., made_version_id: _Optional[int] = ..., created_at: _Optional[float] = ..., newer_version_id: _Optional[int] = ...) -> None: ...

class Judgement(_message.Message):
    __slots__ = ("judge", "action", "answer", "decision", "judged_at")
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    JUDGED_AT_FIELD_NUMBER: _ClassVar[int]
    judge: str
    action: str
    answer: str
    decision: bool
    judged_at: float
    def __init__(self, judge: _Optional[str] = ..., action: _Optional[str] = ..., answer: _Optional[str] = ..., decision: _Optional[bool] = ..., judged_at: _Optional[float] = ...) -> None: ...

class LabelItem(_message.Message):
    __slots__ = ("id", "labelling_id", "split", "number", "variation", "state", "row", "answer", "message", "outcome", "result", "lease_until", "judgements")
    ID_FIELD_NUMBER: _ClassVar[int]
    LABELLING_ID_FIELD_NUMBER: _ClassVar[int]
    SPLIT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    VARIATION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    LEASE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    JUDGEMENTS_FIELD_NUMBER: _ClassVar[int]
    id: int
    labelling_id: int
    split: str
    number: int
    variation: int
    state: str
    row: str
    answer: str
    message: str
    outcome: str
    result: str
    lease_until: float
    judgements: _containers.RepeatedCompositeFieldContainer[Judgement]
    def __init__(self, id: _Optional[int] = ..., labelling_id: _Optional[int] = ..., split: _Optional[str] = ..., number: _Optional[int] = ..., variation: _Optional[int] = ..., state: _Optional[str] = ..., row: _Optional[str] = ..., answer: _Optional[str] = ..., message: _Optional[str] = ..., outcome: _Optional[str] = ..., result: _Optional[str] = ..., lease_until: _Optional[float] = ..., judgements: _Optional[_Iterable[_Union[Judgement, _Mapping]]] = ...) -> None: ...

class NextLabelItemRequest(_message.Message):
    __slots__ = ("labelling_id",)
    LABELLING_ID_FIELD_NUMBER: _ClassVar[int]
    labelling_id: int
    def __init__(self, labelling_id: _Optional[int] = ...) -> None: ...

class NextLabelItemReply(_message.Message):
    __slots__ = ("item",)
    ITEM_FIELD_NUMBER: _ClassVar[int]
    item: LabelItem
    def __init__(self, item: _Optional[_Union[LabelItem, _Mapping]] = ...) -> None: ...

class ListLabelItemsRequest(_message.Message):
    __slots__ = ("labelling_id", "outcome", "state", "offset", "limit")
    LABELLING_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    labelling_id: int
    outcome: str
    state: str
    offset: int
    limit: int
    def __init__(self, labelling_id: _Optional[int] = ..., outcome: _Optional[str] = ..., state: _Optional[str] = ..., offset: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListLabelItemsReply(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[LabelItem]
    def __init__(self, items: _Optional[_Iterable[_Union[LabelItem, _Mapping]]] = ...) -> None: ...

class JudgeLabelItemRequest(_message.Message):
    __slots__ = ("id", "action", "answer")
    ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    id: int
    action: str
    answer: str
    def __init__(self, id: _Optional[int] = ..., action: _Optional[str] = ..., answer: _Optional[str] = ...) -> None: ...

class ListAgreeingItemsRequest(_message.Message):
    __slots__ = ("labelling_id",)
    LABELLING_ID_FIELD_NUMBER: _ClassVar[int]
    labelling_id: int
    def __init__(self, labelling_id: _Optional[int] = ...) -> None: ...

class AcceptLabelItemsRequest(_message.Message):
    __slots__ = ("labelling_id", "item_ids")
    LABELLING_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    labelling_id: int
    item_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, labelling_id: _Optional[int] = ..., item_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class AcceptLabelItemsReply(_message.Message):
    __slots__ = ("item_ids",)
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    item_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, item_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class TakeBackLabelItemsRequest(_message.Message):
    __slots__ = ("labelling_id", "item_ids")
    LABELLING_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    labelling_id: int
    item_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, labelling_id: _Optional[int] = ..., item_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class TakeBackLabelItemsReply(_message.Message):
    __slots__ = ("count",)
    COUNT_FIELD_NUMBER: _ClassVar[int]
    count: int
    def __init__(self, count: _Optional[int] = ...) -> None: ...

class UnskipLabelItemsRequest(_message.Message):
    __slots__ = ("labelling_id",)
    LABELLING_ID_FIELD_NUMBER: _ClassVar[int]
    labelling_id: int
    def __init__(self, labelling_id: _Optional[int] = ...) -> None: ...

class UnskipLabelItemsReply(_message.Message):
    __slots__ = ("count",)
    COUNT_FIELD_NUMBER: _ClassVar[int]
    count: int
    def __init__(self, count: _Optional[int] = ...) -> None: ...

class SaveLabellingRequest(_message.Message):
    __slots__ = ("id", "form", "drop_others")
    ID_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    DROP_OTHERS_FIELD_NUMBER: _ClassVar[int]
    id: int
    form: str
    drop_others: bool
    def __init__(self, id: _Optional[int] = ..., form: _Optional[str] = ..., drop_others: _Optional[bool] = ...) -> None: ...

class StepOutput(_message.Message):
    __slots__ = ("name", "kind", "id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    id: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class WorkflowApproval(_message.Message):
    __slots__ = ("decision", "decided_by", "note", "own", "may_decide", "asked_at", "decided_at", "expires_at")
    DECISION_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    OWN_FIELD_NUMBER: _ClassVar[int]
    MAY_DECIDE_FIELD_NUMBER: _ClassVar[int]
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    DECIDED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    decision: str
    decided_by: str
    note: str
    own: bool
    may_decide: bool
    asked_at: float
    decided_at: float
    expires_at: float
    def __init__(self, decision: _Optional[str] = ..., decided_by: _Optional[str] = ..., note: _Optional[str] = ..., own: _Optional[bool] = ..., may_decide: _Optional[bool] = ..., asked_at: _Optional[float] = ..., decided_at: _Optional[float] = ..., expires_at: _Optional[float] = ...) -> None: ...

class WorkflowStep(_message.Message):
    __slots__ = ("name", "kind", "state", "job_id", "reused", "outputs", "reason", "message", "of", "variant", "chosen", "earlier_job_ids", "approval")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    REUSED_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    EARLIER_JOB_IDS_FIELD_NUMBER: _ClassVar[int]
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    state: str
    job_id: int
    reused: bool
    outputs: _containers.RepeatedCompositeFieldContainer[StepOutput]
    reason: str
    message: str
    of: str
    variant: str
    chosen: str
    earlier_job_ids: _containers.RepeatedScalarFieldContainer[int]
    approval: WorkflowApproval
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., state: _Optional[str] = ..., job_id: _Optional[int] = ..., reused: _Optional[bool] = ..., outputs: _Optional[_Iterable[_Union[StepOutput, _Mapping]]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., of: _Optional[str] = ..., variant: _Optional[str] = ..., chosen: _Optional[str] = ..., earlier_job_ids: _Optional[_Iterable[int]] = ..., approval: _Optional[_Union[WorkflowApproval, _Mapping]] = ...) -> None: ...

class WorkflowRun(_message.Message):
    __slots__ = ("id", "project", "case", "dataset_version_id", "outcome", "steps", "version", "reason", "message", "created_at", "title", "workflow", "workflow_version", "parameters", "fresh", "machine_seconds", "repeats")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_VERSION_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    MACHINE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    REPEATS_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    case: str
    dataset_version_id: int
    outcome: str
    steps: _containers.RepeatedCompositeFieldContainer[WorkflowStep]
    version: int
    reason: str
    message: str
    created_at: float
    title: str
    workflow: str
    workflow_version: int
    parameters: str
    fresh: bool
    machine_seconds: float
    repeats: int
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., case: _Optional[str] = ..., dataset_version_id: _Optional[int] = ..., outcome: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[WorkflowStep, _Mapping]]] = ..., version: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., created_at: _Optional[float] = ..., title: _Optional[str] = ..., workflow: _Optional[str] = ..., workflow_version: _Optional[int] = ..., parameters: _Optional[str] = ..., fresh: _Optional[bool] = ..., machine_seconds: _Optional[float] = ..., repeats: _Optional[int] = ...) -> None: ...

class StartWorkflowRunRequest(_message.Message):
    __slots__ = ("project", "case", "dataset_version_id", "idempotency_key", "workflow", "spec", "parameters", "fresh")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    FRESH_FIELD_NUMBER: _ClassVar[int]
    project: str
    case: str
    dataset_version_id: int
    idempotency_key: str
    workflow: str
    spec: str
    parameters: str
    fresh: bool
    def __init__(self, project: _Optional[str] = ..., case: _Optional[str] = ..., dataset_version_id: _Optional[int] = ..., idempotency_key: _Optional[str] = ..., workflow: _Optional[str] = ..., spec: _Optional[str] = ..., parameters: _Optional[str] = ..., fresh: _Optional[bool] = ...) -> None: ...

class ResumeWorkflowRunRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class Reward(_message.Message):
    __slots__ = ("id", "project", "name", "title", "version", "hash", "author", "created_at", "document", "thing")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    THING_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    name: str
    title: str
    version: int
    hash: str
    author: str
    created_at: float
    document: str
    thing: Thing
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., title: _Optional[str] = ..., version: _Optional[int] = ..., hash: _Optional[str] = ..., author: _Optional[str] = ..., created_at: _Optional[float] = ..., document: _Optional[str] = ..., thing: _Optional[_Union[Thing, _Mapping]] = ...) -> None: ...

class SaveRewardRequest(_message.Message):
    __slots__ = ("project", "name", "document", "title", "base_version")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    document: str
    title: str
    base_version: int
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., document: _Optional[str] = ..., title: _Optional[str] = ..., base_version: _Optional[int] = ...) -> None: ...

class ListRewardsRequest(_message.Message):
    __slots__ = ("project", "tag")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    tag: str
    def __init__(self, project: _Optional[str] = ..., tag: _Optional[str] = ...) -> None: ...

class ListRewardsReply(_message.Message):
    __slots__ = ("rewards",)
    REWARDS_FIELD_NUMBER: _ClassVar[int]
    rewards: _containers.RepeatedCompositeFieldContainer[Reward]
    def __init__(self, rewards: _Optional[_Iterable[_Union[Reward, _Mapping]]] = ...) -> None: ...

class GetRewardRequest(_message.Message):
    __slots__ = ("project", "reward")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    project: str
    reward: str
    def __init__(self, project: _Optional[str] = ..., reward: _Optional[str] = ...) -> None: ...

class ListRewardVersionsRequest(_message.Message):
    __slots__ = ("project", "reward")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    project: str
    reward: str
    def __init__(self, project: _Optional[str] = ..., reward: _Optional[str] = ...) -> None: ...

class DryRunRewardRequest(_message.Message):
    __slots__ = ("project", "reward", "dataset_version_id", "deployment", "endpoint")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENT_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    project: str
    reward: str
    dataset_version_id: int
    deployment: str
    endpoint: str
    def __init__(self, project: _Optional[str] = ..., reward: _Optional[str] = ..., dataset_version_id: _Optional[int] = ..., deployment: _Optional[str] = ..., endpoint: _Optional[str] = ...) -> None: ...

class RewardFinding(_message.Message):
    __slots__ = ("code", "message", "is_fault")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    IS_FAULT_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    is_fault: bool
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ..., is_fault: _Optional[bool] = ...) -> None: ...

class RewardDryRun(_message.Message):
    __slots__ = ("id", "project", "reward", "dataset_version_id", "outcome", "done", "of", "version", "reason", "message", "findings", "trial", "created_at", "ended_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    reward: str
    dataset_version_id: int
    outcome: str
    done: int
    of: int
    version: int
    reason: str
    message: str
    findings: _containers.RepeatedCompositeFieldContainer[RewardFinding]
    trial: str
    created_at: float
    ended_at: float
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., reward: _Optional[str] = ..., dataset_version_id: _Optional[int] = ..., outcome: _Optional[str] = ..., done: _Optional[int] = ..., of: _Optional[int] = ..., version: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[RewardFinding, _Mapping]]] = ..., trial: _Optional[str] = ..., created_at: _Optional[float] = ..., ended_at: _Optional[float] = ...) -> None: ...

class GetRewardDryRunRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class WaitRewardDryRunRequest(_message.Message):
    __slots__ = ("id", "after_version", "wait_seconds")
    ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    id: int
    after_version: int
    wait_seconds: float
    def __init__(self, id: _Optional[int] = ..., after_version: _Optional[int] = ..., wait_seconds: _Optional[float] = ...) -> None: ...

class CancelRewardDryRunRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class Workflow(_message.Message):
    __slots__ = ("id", "project", "name", "title", "version", "hash", "author", "created_at", "text", "reused", "thing", "parameters")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REUSED_FIELD_NUMBER: _ClassVar[int]
    THING_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    name: str
    title: str
    version: int
    hash: str
    author: str
    created_at: float
    text: str
    reused: bool
    thing: Thing
    parameters: str
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., title: _Optional[str] = ..., version: _Optional[int] = ..., hash: _Optional[str] = ..., author: _Optional[str] = ..., created_at: _Optional[float] = ..., text: _Optional[str] = ..., reused: _Optional[bool] = ..., thing: _Optional[_Union[Thing, _Mapping]] = ..., parameters: _Optional[str] = ...) -> None: ...

class SaveWorkflowRequest(_message.Message):
    __slots__ = ("project", "text", "base_version")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    project: str
    text: str
    base_version: int
    def __init__(self, project: _Optional[str] = ..., text: _Optional[str] = ..., base_version: _Optional[int] = ...) -> None: ...

class ListWorkflowsRequest(_message.Message):
    __slots__ = ("project", "tag")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    tag: str
    def __init__(self, project: _Optional[str] = ..., tag: _Optional[str] = ...) -> None: ...

class ListWorkflowsReply(_message.Message):
    __slots__ = ("workflows",)
    WORKFLOWS_FIELD_NUMBER: _ClassVar[int]
    workflows: _containers.RepeatedCompositeFieldContainer[Workflow]
    def __init__(self, workflows: _Optional[_Iterable[_Union[Workflow, _Mapping]]] = ...) -> None: ...

class GetWorkflowRequest(_message.Message):
    __slots__ = ("project", "workflow", "case", "run_id", "form")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    project: str
    workflow: str
    case: str
    run_id: int
    form: str
    def __init__(self, project: _Optional[str] = ..., workflow: _Optional[str] = ..., case: _Optional[str] = ..., run_id: _Optional[int] = ..., form: _Optional[str] = ...) -> None: ...

class ListWorkflowVersionsRequest(_message.Message):
    __slots__ = ("project", "workflow")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    project: str
    workflow: str
    def __init__(self, project: _Optional[str] = ..., workflow: _Optional[str] = ...) -> None: ...

class Prompt(_message.Message):
    __slots__ = ("id", "project", "name", "version", "version_id", "hash", "author", "created_at", "content", "job_id", "found", "reused", "thing")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    REUSED_FIELD_NUMBER: _ClassVar[int]
    THING_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    name: str
    version: int
    version_id: int
    hash: str
    author: str
    created_at: float
    content: str
    job_id: int
    found: str
    reused: bool
    thing: Thing
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., version: _Optional[int] = ..., version_id: _Optional[int] = ..., hash: _Optional[str] = ..., author: _Optional[str] = ..., created_at: _Optional[float] = ..., content: _Optional[str] = ..., job_id: _Optional[int] = ..., found: _Optional[str] = ..., reused: _Optional[bool] = ..., thing: _Optional[_Union[Thing, _Mapping]] = ...) -> None: ...

class SavePromptRequest(_message.Message):
    __slots__ = ("project", "name", "content", "base_version")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    content: str
    base_version: int
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., content: _Optional[str] = ..., base_version: _Optional[int] = ...) -> None: ...

class ListPromptsRequest(_message.Message):
    __slots__ = ("project", "tag")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    tag: str
    def __init__(self, project: _Optional[str] = ..., tag: _Optional[str] = ...) -> None: ...

class ListPromptsReply(_message.Message):
    __slots__ = ("prompts",)
    PROMPTS_FIELD_NUMBER: _ClassVar[int]
    prompts: _containers.RepeatedCompositeFieldContainer[Prompt]
    def __init__(self, prompts: _Optional[_Iterable[_Union[Prompt, _Mapping]]] = ...) -> None: ...

class GetPromptRequest(_message.Message):
    __slots__ = ("project", "prompt")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    project: str
    prompt: str
    def __init__(self, project: _Optional[str] = ..., prompt: _Optional[str] = ...) -> None: ...

class ListPromptVersionsRequest(_message.Message):
    __slots__ = ("project", "prompt")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    project: str
    prompt: str
    def __init__(self, project: _Optional[str] = ..., prompt: _Optional[str] = ...) -> None: ...

class CheckWorkflowRequest(_message.Message):
    __slots__ = ("project", "case", "workflow", "spec", "parameters", "dataset_version_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    CASE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    case: str
    workflow: str
    spec: str
    parameters: str
    dataset_version_id: int
    def __init__(self, project: _Optional[str] = ..., case: _Optional[str] = ..., workflow: _Optional[str] = ..., spec: _Optional[str] = ..., parameters: _Optional[str] = ..., dataset_version_id: _Optional[int] = ...) -> None: ...

class WorkflowProblem(_message.Message):
    __slots__ = ("step", "line", "code", "message")
    STEP_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    step: str
    line: int
    code: str
    message: str
    def __init__(self, step: _Optional[str] = ..., line: _Optional[int] = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ForeseenStep(_message.Message):
    __slots__ = ("name", "kind", "method", "reused", "seconds", "machines")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    REUSED_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    MACHINES_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    method: str
    reused: bool
    seconds: float
    machines: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., method: _Optional[str] = ..., reused: _Optional[bool] = ..., seconds: _Optional[float] = ..., machines: _Optional[_Iterable[str]] = ...) -> None: ...

class CheckWorkflowReply(_message.Message):
    __slots__ = ("problems", "steps", "seconds", "unknown_steps")
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_STEPS_FIELD_NUMBER: _ClassVar[int]
    problems: _containers.RepeatedCompositeFieldContainer[WorkflowProblem]
    steps: _containers.RepeatedCompositeFieldContainer[ForeseenStep]
    seconds: float
    unknown_steps: int
    def __init__(self, problems: _Optional[_Iterable[_Union[WorkflowProblem, _Mapping]]] = ..., steps: _Optional[_Iterable[_Union[ForeseenStep, _Mapping]]] = ..., seconds: _Optional[float] = ..., unknown_steps: _Optional[int] = ...) -> None: ...

class GetWorkflowRunRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ListWorkflowRunsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListWorkflowRunsReply(_message.Message):
    __slots__ = ("runs",)
    RUNS_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[WorkflowRun]
    def __init__(self, runs: _Optional[_Iterable[_Union[WorkflowRun, _Mapping]]] = ...) -> None: ...

class WaitWorkflowRunRequest(_message.Message):
    __slots__ = ("id", "after_version", "wait_seconds")
    ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    id: int
    after_version: int
    wait_seconds: float
    def __init__(self, id: _Optional[int] = ..., after_version: _Optional[int] = ..., wait_seconds: _Optional[float] = ...) -> None: ...

class CancelWorkflowRunRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ApproveWorkflowRunRequest(_message.Message):
    __slots__ = ("id", "step", "note")
    ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    id: int
    step: str
    note: str
    def __init__(self, id: _Optional[int] = ..., step: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class RefuseWorkflowRunRequest(_message.Message):
    __slots__ = ("id", "step", "note")
    ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    id: int
    step: str
    note: str
    def __init__(self, id: _Optional[int] = ..., step: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class WorkflowWish(_message.Message):
    __slots__ = ("dataset_version_id", "base_model_id", "methods", "parameters")
    class MethodsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DATASET_VERSION_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    dataset_version_id: int
    base_model_id: int
    methods: _containers.ScalarMap[str, str]
    parameters: str
    def __init__(self, dataset_version_id: _Optional[int] = ..., base_model_id: _Optional[int] = ..., methods: _Optional[_Mapping[str, str]] = ..., parameters: _Optional[str] = ...) -> None: ...

class WorkflowChange(_message.Message):
    __slots__ = ("step", "what", "name", "before", "after")
    STEP_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    step: str
    what: str
    name: str
    before: str
    after: str
    def __init__(self, step: _Optional[str] = ..., what: _Optional[str] = ..., name: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class PreviewWorkflowRepeatRequest(_message.Message):
    __slots__ = ("id", "wish")
    ID_FIELD_NUMBER: _ClassVar[int]
    WISH_FIELD_NUMBER: _ClassVar[int]
    id: int
    wish: WorkflowWish
    def __init__(self, id: _Optional[int] = ..., wish: _Optional[_Union[WorkflowWish, _Mapping]] = ...) -> None: ...

class WorkflowRepeat(_message.Message):
    __slots__ = ("changes", "reused_steps", "new_steps")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    REUSED_STEPS_FIELD_NUMBER: _ClassVar[int]
    NEW_STEPS_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[WorkflowChange]
    reused_steps: _containers.RepeatedScalarFieldContainer[str]
    new_steps: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, changes: _Optional[_Iterable[_Union[WorkflowChange, _Mapping]]] = ..., reused_steps: _Optional[_Iterable[str]] = ..., new_steps: _Optional[_Iterable[str]] = ...) -> None: ...

class RepeatWorkflowRunRequest(_message.Message):
    __slots__ = ("id", "wish", "idempotency_key")
    ID_FIELD_NUMBER: _ClassVar[int]
    WISH_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    id: int
    wish: WorkflowWish
    idempotency_key: str
    def __init__(self, id: _Optional[int] = ..., wish: _Optional[_Union[WorkflowWish, _Mapping]] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class CompareWorkflowRunsRequest(_message.Message):
    __slots__ = ("before_id", "after_id")
    BEFORE_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_ID_FIELD_NUMBER: _ClassVar[int]
    before_id: int
    after_id: int
    def __init__(self, before_id: _Optional[int] = ..., after_id: _Optional[int] = ...) -> None: ...

class WorkflowMeasure(_message.Message):
    __slots__ = ("step", "metric", "decides", "before", "after", "difference", "difference_low", "difference_high", "paired", "verdict")
    STEP_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    DECIDES_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_LOW_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_HIGH_FIELD_NUMBER: _ClassVar[int]
    PAIRED_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    step: str
    metric: str
    decides: bool
    before: Score
    after: Score
    difference: float
    difference_low: float
    difference_high: float
    paired: bool
    verdict: str
    def __init__(self, step: _Optional[str] = ..., metric: _Optional[str] = ..., decides: _Optional[bool] = ..., before: _Optional[_Union[Score, _Mapping]] = ..., after: _Optional[_Union[Score, _Mapping]] = ..., difference: _Optional[float] = ..., difference_low: _Optional[float] = ..., difference_high: _Optional[float] = ..., paired: _Optional[bool] = ..., verdict: _Optional[str] = ...) -> None: ...

class WorkflowComparison(_message.Message):
    __slots__ = ("changes", "measures")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[WorkflowChange]
    measures: _containers.RepeatedCompositeFieldContainer[WorkflowMeasure]
    def __init__(self, changes: _Optional[_Iterable[_Union[WorkflowChange, _Mapping]]] = ..., measures: _Optional[_Iterable[_Union[WorkflowMeasure, _Mapping]]] = ...) -> None: ...

class Trial(_message.Message):
    __slots__ = ("job_id", "values", "state", "value")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    values: str
    state: str
    value: float
    def __init__(self, job_id: _Optional[int] = ..., values: _Optional[str] = ..., state: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class Sweep(_message.Message):
    __slots__ = ("id", "project", "name", "method", "varied", "objective", "trials", "at_once", "outcome", "tried", "best_job_id", "version", "reason", "message", "created_at", "ended_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    VARIED_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    AT_ONCE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    TRIED_FIELD_NUMBER: _ClassVar[int]
    BEST_JOB_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    name: str
    method: str
    varied: str
    objective: str
    trials: int
    at_once: int
    outcome: str
    tried: _containers.RepeatedCompositeFieldContainer[Trial]
    best_job_id: int
    version: int
    reason: str
    message: str
    created_at: float
    ended_at: float
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., method: _Optional[str] = ..., varied: _Optional[str] = ..., objective: _Optional[str] = ..., trials: _Optional[int] = ..., at_once: _Optional[int] = ..., outcome: _Optional[str] = ..., tried: _Optional[_Iterable[_Union[Trial, _Mapping]]] = ..., best_job_id: _Optional[int] = ..., version: _Optional[int] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., created_at: _Optional[float] = ..., ended_at: _Optional[float] = ...) -> None: ...

class StartSweepRequest(_message.Message):
    __slots__ = ("job", "varied", "trials", "at_once", "objective")
    JOB_FIELD_NUMBER: _ClassVar[int]
    VARIED_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    AT_ONCE_FIELD_NUMBER: _ClassVar[int]
    OBJECTIVE_FIELD_NUMBER: _ClassVar[int]
    job: SubmitJobRequest
    varied: str
    trials: int
    at_once: int
    objective: str
    def __init__(self, job: _Optional[_Union[SubmitJobRequest, _Mapping]] = ..., varied: _Optional[str] = ..., trials: _Optional[int] = ..., at_once: _Optional[int] = ..., objective: _Optional[str] = ...) -> None: ...

class GetSweepRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ListSweepsRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListSweepsReply(_message.Message):
    __slots__ = ("sweeps",)
    SWEEPS_FIELD_NUMBER: _ClassVar[int]
    sweeps: _containers.RepeatedCompositeFieldContainer[Sweep]
    def __init__(self, sweeps: _Optional[_Iterable[_Union[Sweep, _Mapping]]] = ...) -> None: ...

class WaitSweepRequest(_message.Message):
    __slots__ = ("id", "after_version", "wait_seconds")
    ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    id: int
    after_version: int
    wait_seconds: float
    def __init__(self, id: _Optional[int] = ..., after_version: _Optional[int] = ..., wait_seconds: _Optional[float] = ...) -> None: ...

class CancelSweepRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class InputRef(_message.Message):
    __slots__ = ("name", "kind", "id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    id: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class EstimateJobRequest(_message.Message):
    __slots__ = ("project", "method", "parameters", "inputs")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    project: str
    method: str
    parameters: str
    inputs: _containers.RepeatedCompositeFieldContainer[InputRef]
    def __init__(self, project: _Optional[str] = ..., method: _Optional[str] = ..., parameters: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[InputRef, _Mapping]]] = ...) -> None: ...

class JobEstimate(_message.Message):
    __slots__ = ("memory_bytes", "disk_bytes", "parts", "factor", "places")
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    DISK_BYTES_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    memory_bytes: int
    disk_bytes: int
    parts: str
    factor: float
    places: _containers.RepeatedCompositeFieldContainer[JobPlace]
    def __init__(self, memory_bytes: _Optional[int] = ..., disk_bytes: _Optional[int] = ..., parts: _Optional[str] = ..., factor: _Optional[float] = ..., places: _Optional[_Iterable[_Union[JobPlace, _Mapping]]] = ...) -> None: ...

class JobPlace(_message.Message):
    __slots__ = ("machine_id", "machine", "device", "state", "seconds")
    MACHINE_ID_FIELD_NUMBER: _ClassVar[int]
    MACHINE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    machine_id: str
    machine: str
    device: str
    state: str
    seconds: float
    def __init__(self, machine_id: _Optional[str] = ..., machine: _Optional[str] = ..., device: _Optional[str] = ..., state: _Optional[str] = ..., seconds: _Optional[float] = ...) -> None: ...

class SubmitJobRequest(_message.Message):
    __slots__ = ("project", "method", "name", "parameters", "inputs", "seed", "idempotency_key", "policy", "preset")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    PRESET_FIELD_NUMBER: _ClassVar[int]
    project: str
    method: str
    name: str
    parameters: str
    inputs: _containers.RepeatedCompositeFieldContainer[InputRef]
    seed: int
    idempotency_key: str
    policy: Policy
    preset: str
    def __init__(self, project: _Optional[str] = ..., method: _Optional[str] = ..., name: _Optional[str] = ..., parameters: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[InputRef, _Mapping]]] = ..., seed: _Optional[int] = ..., idempotency_key: _Optional[str] = ..., policy: _Optional[_Union[Policy, _Mapping]] = ..., preset: _Optional[str] = ...) -> None: ...

class Policy(_message.Message):
    __slots__ = ("priority", "not_before", "lost_after", "when_lost", "time_limit")
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    LOST_AFTER_FIELD_NUMBER: _ClassVar[int]
    WHEN_LOST_FIELD_NUMBER: _ClassVar[int]
    TIME_LIMIT_FIELD_NUMBER: _ClassVar[int]
    priority: int
    not_before: float
    lost_after: float
    when_lost: str
    time_limit: float
    def __init__(self, priority: _Optional[int] = ..., not_before: _Optional[float] = ..., lost_after: _Optional[float] = ..., when_lost: _Optional[str] = ..., time_limit: _Optional[float] = ...) -> None: ...

class Attempt(_message.Message):
    __slots__ = ("id", "number", "state", "machine_id", "offered_at", "started_at", "running_at", "ended_at", "reason", "params", "message", "stage", "peak_memory_bytes")
    ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MACHINE_ID_FIELD_NUMBER: _ClassVar[int]
    OFFERED_AT_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    PEAK_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    id: int
    number: int
    state: str
    machine_id: str
    offered_at: float
    started_at: float
    running_at: float
    ended_at: float
    reason: str
    params: str
    message: str
    stage: str
    peak_memory_bytes: int
    def __init__(self, id: _Optional[int] = ..., number: _Optional[int] = ..., state: _Optional[str] = ..., machine_id: _Optional[str] = ..., offered_at: _Optional[float] = ..., started_at: _Optional[float] = ..., running_at: _Optional[float] = ..., ended_at: _Optional[float] = ..., reason: _Optional[str] = ..., params: _Optional[str] = ..., message: _Optional[str] = ..., stage: _Optional[str] = ..., peak_memory_bytes: _Optional[int] = ...) -> None: ...

class Job(_message.Message):
    __slots__ = ("id", "project", "name", "method", "kind", "state", "version", "parameters", "inputs", "seed", "created_at", "ended_at", "attempts", "waiting", "progress", "reason", "message", "model_id", "evaluation_id", "method_hash", "policy", "learning", "thing")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_ID_FIELD_NUMBER: _ClassVar[int]
    METHOD_HASH_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    LEARNING_FIELD_NUMBER: _ClassVar[int]
    THING_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    name: str
    method: str
    kind: str
    state: str
    version: int
    parameters: str
    inputs: _containers.RepeatedCompositeFieldContainer[InputRef]
    seed: int
    created_at: float
    ended_at: float
    attempts: _containers.RepeatedCompositeFieldContainer[Attempt]
    waiting: str
    progress: float
    reason: str
    message: str
    model_id: int
    evaluation_id: int
    method_hash: str
    policy: Policy
    learning: Learning
    thing: Thing
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., method: _Optional[str] = ..., kind: _Optional[str] = ..., state: _Optional[str] = ..., version: _Optional[int] = ..., parameters: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[InputRef, _Mapping]]] = ..., seed: _Optional[int] = ..., created_at: _Optional[float] = ..., ended_at: _Optional[float] = ..., attempts: _Optional[_Iterable[_Union[Attempt, _Mapping]]] = ..., waiting: _Optional[str] = ..., progress: _Optional[float] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., model_id: _Optional[int] = ..., evaluation_id: _Optional[int] = ..., method_hash: _Optional[str] = ..., policy: _Optional[_Union[Policy, _Mapping]] = ..., learning: _Optional[_Union[Learning, _Mapping]] = ..., thing: _Optional[_Union[Thing, _Mapping]] = ...) -> None: ...

class Learning(_message.Message):
    __slots__ = ("verdict", "first", "last", "best", "measure")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    BEST_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    verdict: str
    first: float
    last: float
    best: float
    measure: str
    def __init__(self, verdict: _Optional[str] = ..., first: _Optional[float] = ..., last: _Optional[float] = ..., best: _Optional[float] = ..., measure: _Optional[str] = ...) -> None: ...

class GetJobRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ListJobsRequest(_message.Message):
    __slots__ = ("project", "state", "method", "text", "tag")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    state: str
    method: str
    text: str
    tag: str
    def __init__(self, project: _Optional[str] = ..., state: _Optional[str] = ..., method: _Optional[str] = ..., text: _Optional[str] = ..., tag: _Optional[str] = ...) -> None: ...

class ListJobsReply(_message.Message):
    __slots__ = ("jobs",)
    JOBS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[Job]
    def __init__(self, jobs: _Optional[_Iterable[_Union[Job, _Mapping]]] = ...) -> None: ...

class WaitJobRequest(_message.Message):
    __slots__ = ("id", "after_version", "after_event", "wait_seconds")
    ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    AFTER_EVENT_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    id: int
    after_version: int
    after_event: int
    wait_seconds: float
    def __init__(self, id: _Optional[int] = ..., after_version: _Optional[int] = ..., after_event: _Optional[int] = ..., wait_seconds: _Optional[float] = ...) -> None: ...

class WaitJobReply(_message.Message):
    __slots__ = ("job", "events")
    JOB_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    job: Job
    events: _containers.RepeatedCompositeFieldContainer[Event]
    def __init__(self, job: _Optional[_Union[Job, _Mapping]] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ...) -> None: ...

class CancelJobRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("id", "attempt_id", "kind", "time", "body")
    ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    id: int
    attempt_id: int
    kind: str
    time: float
    body: str
    def __init__(self, id: _Optional[int] = ..., attempt_id: _Optional[int] = ..., kind: _Optional[str] = ..., time: _Optional[float] = ..., body: _Optional[str] = ...) -> None: ...

class ListEventsRequest(_message.Message):
    __slots__ = ("job_id", "after", "kind")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    after: int
    kind: str
    def __init__(self, job_id: _Optional[int] = ..., after: _Optional[int] = ..., kind: _Optional[str] = ...) -> None: ...

class ListEventsReply(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[Event]
    def __init__(self, events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ...) -> None: ...

class ReadLogRequest(_message.Message):
    __slots__ = ("job_id", "stream", "offset", "length", "attempt_id")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    stream: str
    offset: int
    length: int
    attempt_id: int
    def __init__(self, job_id: _Optional[int] = ..., stream: _Optional[str] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ..., attempt_id: _Optional[int] = ...) -> None: ...

class ReadLogReply(_message.Message):
    __slots__ = ("data", "size")
    DATA_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    size: int
    def __init__(self, data: _Optional[bytes] = ..., size: _Optional[int] = ...) -> None: ...

class GetJobConfigRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    def __init__(self, job_id: _Optional[int] = ...) -> None: ...

class GetJobConfigReply(_message.Message):
    __slots__ = ("config",)
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    config: str
    def __init__(self, config: _Optional[str] = ...) -> None: ...

class File(_message.Message):
    __slots__ = ("path", "size", "sha256")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    path: str
    size: int
    sha256: str
    def __init__(self, path: _Optional[str] = ..., size: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class Artifact(_message.Message):
    __slots__ = ("id", "name", "attempt_id", "hash", "size", "committed_at", "files")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    COMMITTED_AT_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    attempt_id: int
    hash: str
    size: int
    committed_at: float
    files: _containers.RepeatedCompositeFieldContainer[File]
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., attempt_id: _Optional[int] = ..., hash: _Optional[str] = ..., size: _Optional[int] = ..., committed_at: _Optional[float] = ..., files: _Optional[_Iterable[_Union[File, _Mapping]]] = ...) -> None: ...

class ListFilesRequest(_message.Message):
    __slots__ = ("job_id",)
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    def __init__(self, job_id: _Optional[int] = ...) -> None: ...

class ListFilesReply(_message.Message):
    __slots__ = ("artifacts",)
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    artifacts: _containers.RepeatedCompositeFieldContainer[Artifact]
    def __init__(self, artifacts: _Optional[_Iterable[_Union[Artifact, _Mapping]]] = ...) -> None: ...

class GetFileRequest(_message.Message):
    __slots__ = ("job_id", "artifact_id", "path", "offset", "length")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_ID_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    artifact_id: int
    path: str
    offset: int
    length: int
    def __init__(self, job_id: _Optional[int] = ..., artifact_id: _Optional[int] = ..., path: _Optional[str] = ..., offset: _Optional[int] = ..., length: _Optional[int] = ...) -> None: ...

class GetFileReply(_message.Message):
    __slots__ = ("data", "size")
    DATA_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    size: int
    def __init__(self, data: _Optional[bytes] = ..., size: _Optional[int] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("id", "project", "name", "form", "job_id", "base_id", "hash", "size", "card", "created_at", "artifact_id", "thing")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CARD_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_ID_FIELD_NUMBER: _ClassVar[int]
    THING_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    name: str
    form: str
    job_id: int
    base_id: int
    hash: str
    size: int
    card: str
    created_at: float
    artifact_id: int
    thing: Thing
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., form: _Optional[str] = ..., job_id: _Optional[int] = ..., base_id: _Optional[int] = ..., hash: _Optional[str] = ..., size: _Optional[int] = ..., card: _Optional[str] = ..., created_at: _Optional[float] = ..., artifact_id: _Optional[int] = ..., thing: _Optional[_Union[Thing, _Mapping]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ("project", "form", "offset", "limit", "tag")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    form: str
    offset: int
    limit: int
    tag: str
    def __init__(self, project: _Optional[str] = ..., form: _Optional[str] = ..., offset: _Optional[int] = ..., limit: _Optional[int] = ..., tag: _Optional[str] = ...) -> None: ...

class ListModelsReply(_message.Message):
    __slots__ = ("models", "total")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    total: int
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class GetLineageRequest(_message.Message):
    __slots__ = ("model_id",)
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    model_id: int
    def __init__(self, model_id: _Optional[int] = ...) -> None: ...

class Lineage(_message.Message):
    __slots__ = ("model", "dataset_version", "base", "origin", "evaluation_ids", "packaged", "deployments")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DATASET_VERSION_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_IDS_FIELD_NUMBER: _ClassVar[int]
    PACKAGED_FIELD_NUMBER: _ClassVar[int]
    DEPLOYMENTS_FIELD_NUMBER: _ClassVar[int]
    model: Model
    dataset_version: DatasetVersion
    base: Model
    origin: Model
    evaluation_ids: _containers.RepeatedScalarFieldContainer[int]
    packaged: _containers.RepeatedCompositeFieldContainer[Model]
    deployments: _containers.RepeatedCompositeFieldContainer[Deployment]
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ..., dataset_version: _Optional[_Union[DatasetVersion, _Mapping]] = ..., base: _Optional[_Union[Model, _Mapping]] = ..., origin: _Optional[_Union[Model, _Mapping]] = ..., evaluation_ids: _Optional[_Iterable[int]] = ..., packaged: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., deployments: _Optional[_Iterable[_Union[Deployment, _Mapping]]] = ...) -> None: ...

class Score(_message.Message):
    __slots__ = ("metric", "candidate", "n", "value", "low", "high")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    metric: str
    candidate: str
    n: int
    value: float
    low: float
    high: float
    def __init__(self, metric: _Optional[str] = ..., candidate: _Optional[str] = ..., n: _Optional[int] = ..., value: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ...) -> None: ...

class Difference(_message.Message):
    __slots__ = ("metric", "value", "low", "high", "p", "adjusted_p", "verdict", "needed")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    P_FIELD_NUMBER: _ClassVar[int]
    ADJUSTED_P_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    NEEDED_FIELD_NUMBER: _ClassVar[int]
    metric: str
    value: float
    low: float
    high: float
    p: float
    adjusted_p: float
    verdict: str
    needed: int
    def __init__(self, metric: _Optional[str] = ..., value: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., p: _Optional[float] = ..., adjusted_p: _Optional[float] = ..., verdict: _Optional[str] = ..., needed: _Optional[int] = ...) -> None: ...

class Evaluation(_message.Message):
    __slots__ = ("id", "project", "job_id", "verdict", "primary_metric", "difference", "difference_low", "difference_high", "scores", "samples", "row_count", "answer_limit", "candidate_cut", "baseline_cut", "differences")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_METRIC_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_LOW_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_HIGH_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    ANSWER_LIMIT_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_CUT_FIELD_NUMBER: _ClassVar[int]
    BASELINE_CUT_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    job_id: int
    verdict: str
    primary_metric: str
    difference: float
    difference_low: float
    difference_high: float
    scores: _containers.RepeatedCompositeFieldContainer[Score]
    samples: str
    row_count: int
    answer_limit: int
    candidate_cut: int
    baseline_cut: int
    differences: _containers.RepeatedCompositeFieldContainer[Difference]
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., job_id: _Optional[int] = ..., verdict: _Optional[str] = ..., primary_metric: _Optional[str] = ..., difference: _Optional[float] = ..., difference_low: _Optional[float] = ..., difference_high: _Optional[float] = ..., scores: _Optional[_Iterable[_Union[Score, _Mapping]]] = ..., samples: _Optional[str] = ..., row_count: _Optional[int] = ..., answer_limit: _Optional[int] = ..., candidate_cut: _Optional[int] = ..., baseline_cut: _Optional[int] = ..., differences: _Optional[_Iterable[_Union[Difference, _Mapping]]] = ...) -> None: ...

class GetEvaluationRequest(_message.Message):
    __slots__ = ("id", "offset", "limit")
    ID_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    id: int
    offset: int
    limit: int
    def __init__(self, id: _Optional[int] = ..., offset: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListEvaluationsRequest(_message.Message):
    __slots__ = ("project", "offset", "limit")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    offset: int
    limit: int
    def __init__(self, project: _Optional[str] = ..., offset: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListEvaluationsReply(_message.Message):
    __slots__ = ("evaluations", "total")
    EVALUATIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    evaluations: _containers.RepeatedCompositeFieldContainer[Evaluation]
    total: int
    def __init__(self, evaluations: _Optional[_Iterable[_Union[Evaluation, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class Deployment(_message.Message):
    __slots__ = ("id", "project", "name", "model_id", "desired_state", "state", "message", "version", "machine_id", "thing", "requests", "prompt", "schema")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    DESIRED_STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MACHINE_ID_FIELD_NUMBER: _ClassVar[int]
    THING_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    id: int
    project: str
    name: str
    model_id: int
    desired_state: str
    state: str
    message: str
    version: int
    machine_id: str
    thing: Thing
    requests: _containers.RepeatedScalarFieldContainer[int]
    prompt: str
    schema: str
    def __init__(self, id: _Optional[int] = ..., project: _Optional[str] = ..., name: _Optional[str] = ..., model_id: _Optional[int] = ..., desired_state: _Optional[str] = ..., state: _Optional[str] = ..., message: _Optional[str] = ..., version: _Optional[int] = ..., machine_id: _Optional[str] = ..., thing: _Optional[_Union[Thing, _Mapping]] = ..., requests: _Optional[_Iterable[int]] = ..., prompt: _Optional[str] = ..., schema: _Optional[str] = ...) -> None: ...

class SetDeploymentPromptRequest(_message.Message):
    __slots__ = ("id", "prompt", "schema")
    ID_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    id: int
    prompt: str
    schema: str
    def __init__(self, id: _Optional[int] = ..., prompt: _Optional[str] = ..., schema: _Optional[str] = ...) -> None: ...

class DeployRequest(_message.Message):
    __slots__ = ("project", "name", "model_id", "context_length", "slots")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    project: str
    name: str
    model_id: int
    context_length: int
    slots: int
    def __init__(self, project: _Optional[str] = ..., name: _Optional[str] = ..., model_id: _Optional[int] = ..., context_length: _Optional[int] = ..., slots: _Optional[int] = ...) -> None: ...

class GetDeploymentRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ListDeploymentsRequest(_message.Message):
    __slots__ = ("project", "tag")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    tag: str
    def __init__(self, project: _Optional[str] = ..., tag: _Optional[str] = ...) -> None: ...

class ListDeploymentsReply(_message.Message):
    __slots__ = ("deployments",)
    DEPLOYMENTS_FIELD_NUMBER: _ClassVar[int]
    deployments: _containers.RepeatedCompositeFieldContainer[Deployment]
    def __init__(self, deployments: _Optional[_Iterable[_Union[Deployment, _Mapping]]] = ...) -> None: ...

class WaitDeploymentRequest(_message.Message):
    __slots__ = ("id", "after_version", "wait_seconds")
    ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    WAIT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    id: int
    after_version: int
    wait_seconds: float
    def __init__(self, id: _Optional[int] = ..., after_version: _Optional[int] = ..., wait_seconds: _Optional[float] = ...) -> None: ...

class StopDeploymentRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class ChatRequest(_message.Message):
    __slots__ = ("deployment_id", "body")
    DEPLOYMENT_ID_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    deployment_id: int
    body: str
    def __init__(self, deployment_id: _Optional[int] = ..., body: _Optional[str] = ...) -> None: ...

class ChatReply(_message.Message):
    __slots__ = ("status", "data")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    status: int
    data: bytes
    def __init__(self, status: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class Thing(_message.Message):
    __slots__ = ("kind", "id", "name", "title", "description", "tags", "deleted_at", "purged", "deleted_by", "purge_at")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    DELETED_AT_FIELD_NUMBER: _ClassVar[int]
    PURGED_FIELD_NUMBER: _ClassVar[int]
    DELETED_BY_FIELD_NUMBER: _ClassVar[int]
    PURGE_AT_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: int
    name: str
    title: str
    description: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    deleted_at: float
    purged: bool
    deleted_by: str
    purge_at: float
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[int] = ..., name: _Optional[str] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., deleted_at: _Optional[float] = ..., purged: _Optional[bool] = ..., deleted_by: _Optional[str] = ..., purge_at: _Optional[float] = ...) -> None: ...

class Tags(_message.Message):
    __slots__ = ("tags",)
    TAGS_FIELD_NUMBER: _ClassVar[int]
    tags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, tags: _Optional[_Iterable[str]] = ...) -> None: ...

class DescribeThingRequest(_message.Message):
    __slots__ = ("kind", "id", "title", "description", "tags")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: int
    title: str
    description: str
    tags: Tags
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[int] = ..., title: _Optional[str] = ..., description: _Optional[str] = ..., tags: _Optional[_Union[Tags, _Mapping]] = ...) -> None: ...

class DeleteThingRequest(_message.Message):
    __slots__ = ("kind", "id")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: int
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class RestoreThingRequest(_message.Message):
    __slots__ = ("kind", "id")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: int
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class PurgeThingRequest(_message.Message):
    __slots__ = ("kind", "id")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    kind: str
    id: int
    def __init__(self, kind: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class PurgeThingReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListTrashRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class ListTrashReply(_message.Message):
    __slots__ = ("things",)
    THINGS_FIELD_NUMBER: _ClassVar[int]
    things: _containers.RepeatedCompositeFieldContainer[Thing]
    def __init__(self, things: _Optional[_Iterable[_Union[Thing, _Mapping]]] = ...) -> None: ...

class CreateApiTokenRequest(_message.Message):
    __slots__ = ("name", "lifetime_seconds")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LIFETIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    lifetime_seconds: float
    def __init__(self, name: _Optional[str] = ..., lifetime_seconds: _Optional[float] = ...) -> None: ...

class CreateApiTokenReply(_message.Message):
    __slots__ = ("token", "expires_at")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    token: str
    expires_at: float
    def __init__(self, token: _Optional[str] = ..., expires_at: _Optional[float] = ...) -> None: ...

class ApiToken(_message.Message):
    __slots__ = ("id", "name", "created_at", "expires_at", "used_at")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    USED_AT_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    created_at: float
    expires_at: float
    used_at: float
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., created_at: _Optional[float] = ..., expires_at: _Optional[float] = ..., used_at: _Optional[float] = ...) -> None: ...

class ListApiTokensRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListApiTokensReply(_message.Message):
    __slots__ = ("tokens",)
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    tokens: _containers.RepeatedCompositeFieldContainer[ApiToken]
    def __init__(self, tokens: _Optional[_Iterable[_Union[ApiToken, _Mapping]]] = ...) -> None: ...

class RevokeApiTokenRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    def __init__(self, id: _Optional[int] = ...) -> None: ...

class RevokeApiTokenReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AuditEntry(_message.Message):
    __slots__ = ("id", "at", "actor", "action", "subject", "details")
    ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    id: int
    at: float
    actor: str
    action: str
    subject: str
    details: str
    def __init__(self, id: _Optional[int] = ..., at: _Optional[float] = ..., actor: _Optional[str] = ..., action: _Optional[str] = ..., subject: _Optional[str] = ..., details: _Optional[str] = ...) -> None: ...

class ListAuditRequest(_message.Message):
    __slots__ = ("before", "project")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    before: int
    project: str
    def __init__(self, before: _Optional[int] = ..., project: _Optional[str] = ...) -> None: ...

class ListAuditReply(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AuditEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[AuditEntry, _Mapping]]] = ...) -> None: ...

class CheckAuditRequest(_message.Message):
    __slots__ = ("head",)
    HEAD_FIELD_NUMBER: _ClassVar[int]
    head: str
    def __init__(self, head: _Optional[str] = ...) -> None: ...

class AuditCheck(_message.Message):
    __slots__ = ("at", "entries", "code", "message")
    AT_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    at: float
    entries: int
    code: str
    message: str
    def __init__(self, at: _Optional[float] = ..., entries: _Optional[int] = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
