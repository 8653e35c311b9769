"""What a clumsy user sends, over the real public API: the right code, the place, a sentence in three languages, and
nothing left behind."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from typing import Any

import grpc
import pytest
from attacks.town import NORA, OLGA, PROJECT, Town
from peewee import Model

from control_plane import wording
from control_plane.authority import open_authority
from control_plane.blobs import Blobs
from control_plane.domain import errors
from control_plane.domain.errors import DiskFull, RowTooLong, TunesmithError
from control_plane.domain.permissions import SYSTEM
from control_plane.services import jobs
from control_plane.services.access import people
from control_plane.services.datasets import json_lines
from control_plane.services.fleet import scheduling
from control_plane.store.artifacts import ArtifactRecord
from control_plane.store.audit import AuditRecord
from control_plane.store.datasets import DatasetRecord, DatasetVersionRecord
from control_plane.store.deployments import DeploymentRecord
from control_plane.store.jobs import JobRecord
from control_plane.store.machines import MachineRecord
from link_support import code_of
from patience import PATIENCE
from tunesmith.v1 import automation_pb2 as pb
from tunesmith.v1 import automation_pb2_grpc

GOOD = b'{"prompt": "a", "completion": "b"}\n'
TABLES: tuple[type[Model], ...] = (
    ArtifactRecord, AuditRecord, DatasetRecord, DatasetVersionRecord, DeploymentRecord, JobRecord,
)  # fmt: skip

# what is sent → code, and the parameters that say where
FILES: dict[str, tuple[bytes, str, dict[str, Any]]] = {
    "empty": (b"", "dataset_empty", {"file": "train.jsonl"}),
    "blank lines": (b"\n \r\n\n", "dataset_empty", {"file": "train.jsonl"}),
    "a mark and nothing": (b"\xef\xbb\xbf", "dataset_empty", {"file": "train.jsonl"}),
    "UTF-16": (GOOD.decode().encode("utf-16"), "encoding_unsupported", {"file": "train.jsonl", "encoding": "UTF-16"}),
    "UTF-16 without mark": (GOOD.decode().encode("utf-16-le"), "encoding_unsupported", {"encoding": "UTF-16"}),
    "UTF-16 big end first": (GOOD.decode().encode("utf-16-be"), "encoding_unsupported", {"encoding": "UTF-16"}),
    "UTF-32": (GOOD.decode().encode("utf-32"), "encoding_unsupported", {"encoding": "UTF-32"}),
    "gzip": (b"\x1f\x8b\x08\x00" + b"x" * 99, "file_kind_unsupported", {"kind": "gzip"}),
    "zip": (b"PK\x03\x04" + b"x" * 99, "file_kind_unsupported", {"kind": "zip"}),
    "a truncated line": (GOOD + GOOD[:20], "row_not_json", {"line": 2, "column": 17}),
    "no JSON": (GOOD * 4 + b"prompt,completion\n", "row_not_json", {"line": 5, "column": 1}),
    "a NUL": (GOOD + b'{"prompt": "a\x00", "completion": "b"}\n', "row_not_json", {"line": 2}),
    "latin-1": (GOOD + b'{"prompt": "\xfc", "completion": "b"}', "row_not_utf8", {"line": 2, "column": 13}),
    "a list": (GOOD + b"[1]\n", "row_not_object", {"line": 2}),
    "a text": (b'"x"\n', "row_not_object", {"line": 1}),
    "null": (GOOD + b"null\n", "row_not_object", {"line": 2}),
    "a missing field": (GOOD + b'{"prompt": "a"}\n', "row_field_missing", {"line": 2, "field": "completion"}),
    "an empty field": (GOOD + b'{"prompt": " ", "completion": "b"}\n', "row_field_empty", {"line": 2}),
    "a number": (GOOD + b'{"prompt": 7, "completion": "b"}\n', "row_field_not_text", {"line": 2, "field": "prompt"}),
    "NaN": (GOOD + b'{"prompt": "a", "completion": "b", "x": NaN}\n', "row_not_number", {"line": 2, "value": "NaN"}),
    "a long number": (GOOD + b'{"x": ' + b"9" * 5000 + b"}\n", "row_not_number", {"line": 2}),
    "twice": (b'{"prompt": "a", "prompt": "a"}\n', "row_field_twice", {"line": 1, "field": "prompt"}),
    "half a character twice": (b'{"\\ud800": 1, "\\ud800": 2}\n', "row_field_twice", {"line": 1, "field": "?"}),
    "half a character": (GOOD + b'{"prompt": "\\ud800", "completion": "b"}\n', "row_not_text", {"line": 2}),
    "half a role": (b'{"messages": [{"role": "\\ud800", "content": "a"}]}\n', "row_not_text", {"line": 1}),
    "depth 101": (b'{"prompt": ' + b"[" * 101 + b"]" * 101 + b"}\n", "row_too_deep", {"line": 1}),
    "depth 10,000": (GOOD + b"[" * 10_000 + b"\n" + GOOD, "row_too_deep", {"line": 2}),
    "depth 10,000 of objects": (GOOD + b'{"a":' * 10_000 + b"\n", "row_too_deep", {"line": 2}),
    "an unknown format": (b'{"q": "a", "answer": "b"}\n', "format_unknown", {"line": 1, "fields": ["q", "answer"]}),
    "long names": (b'{"' + "😀".encode() * 90_000 + b'": 1}\n', "format_unknown", {"line": 1}),
    "a foreign role": (b'{"messages": [{"role": "robot", "content": "a"}]}\n', "row_role_unknown", {"line": 1}),
    "no answer": (b'{"messages": [{"role": "user", "content": "a"}]}\n', "row_ends_wrong", {"line": 1}),
    "a long row": (GOOD + b'{"prompt": "' + b"a" * (17 << 20) + b'"}\n', "row_too_long", {"line": 2}),
}  # fmt: skip
ACCEPTED = {
    "a mark": (b"\xef\xbb\xbf" + GOOD * 2, "byte_order_mark"),
    "CRLF": (GOOD.replace(b"\n", b"\r\n") * 2, "crlf"),
    "no last newline": ((GOOD * 2)[:-1], ""),
    "blank lines between": (GOOD + b"\n\n" + GOOD, "blank_lines"),
    "an escaped NUL": (b'{"prompt": "a\\u0000", "completion": "b"}\n' * 2, ""),
}


@contextmanager
def _api(town: Town) -> Iterator[automation_pb2_grpc.AutomationStub]:
    credentials = grpc.ssl_channel_credentials(open_authority(town.cp.settings.data).pem)
    with grpc.secure_channel(f"127.0.0.1:{town.server.api_port}", credentials) as channel:
        yield automation_pb2_grpc.AutomationStub(channel)


def _upload(dataset: str, train: bytes, test: bytes | None = None, **header: Any) -> Iterator[pb.UploadDatasetRequest]:
    values = {"project": PROJECT, "name": dataset, "test_share": 0.5, "split_seed": 1} | header
    yield pb.UploadDatasetRequest(header=pb.UploadHeader(**values))
    for part, data in (("train", train), ("test", test or b"")):
        for at in range(0, len(data), 512 << 10):
            yield pb.UploadDatasetRequest(**{part: data[at : at + (512 << 10)]})


def _ask(town: Town, call: str, request: Any, token: str = "", language: str = "en") -> Any:
    metadata = (("authorization", f"Bearer {token or town.tokens[OLGA]}"), ("accept-language", language))
    with _api(town) as stub:
        return getattr(stub, call)(request, metadata=metadata, timeout=PATIENCE)


def _refusal(town: Town, call: str, request: Any, **how: str) -> tuple[str, dict[str, Any], str]:
    """(code, parameters, sentence) of a call that must fail, and must not be our fault."""
    with pytest.raises(grpc.RpcError) as refusal:
        _ask(town, call, request, **how)
    error: Any = refusal.value
    assert error.code().name not in ("INTERNAL", "UNKNOWN", "RESOURCE_EXHAUSTED"), error.details()
    params = json.loads(dict(error.trailing_metadata())["tunesmith-params"])
    return code_of(error), params, error.details()


def _footprint(town: Town) -> tuple[Any, ...]:
    """How much there is of everything that a request may leave: rows, blobs, files that are under way."""
    folder = town.cp.settings.data / "blobs"
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return (*(table.select().count() for table in TABLES), files)


def _in_all_languages(code: str, params: dict[str, Any], said: str) -> None:
    """The sentence is ours, holds what it quotes, and no placeholder is left in any language."""
    told = {locale: wording.say(code, params, locale) for locale in wording.LOCALES}
    assert told["en"] == said
    assert len(set(told.values())) == 3 or code == "field_invalid", f"{code} is not translated"
    for sentence in told.values():
        assert not any("{" + name + "}" in sentence for name in params), sentence


@pytest.mark.parametrize("what", sorted(FILES))
def test_a_faulty_file_is_refused_with_its_place_and_leaves_nothing(town: Town, what: str) -> None:
    data, wanted, place = FILES[what]
    before = _footprint(town)
    code, params, said = _refusal(town, "UploadDataset", _upload("faulty", data))
    assert (code, params | place) == (wanted, params), params
    assert params["file"] == "train.jsonl"
    _in_all_languages(code, params, said)
    assert _footprint(town) == before


@pytest.mark.parametrize("what", sorted(ACCEPTED))
def test_harmless_peculiarities_are_accepted_and_told(own_town: Town, what: str) -> None:
    data, fact = ACCEPTED[what]
    version, _ = json_lines.upload(SYSTEM, own_town.cp, PROJECT, "odd", BytesIO(data), None, test_share=0.0)
    assert version.train_rows == 2
    assert not fact or version.facts[fact]


@pytest.mark.parametrize(
    ("header", "test", "code", "field"),
    [
        ({"name": "Ünfit Name"}, None, "name_invalid", "name"),
        ({"name": "../x"}, None, "name_invalid", "name"),
        ({"format": "csv"}, None, "field_invalid", "field"),
        ({"format": "chat"}, None, "row_field_missing", "field"),
        ({"test_share": 0.6}, None, "field_invalid", "field"),
        ({"test_share": float("nan")}, None, "field_invalid", "field"),
        ({"project": "no-such-project"}, None, "not_found", ""),
        ({}, b"\n", "dataset_empty", "file"),
        ({}, GOOD, "held_out_leak", "line"),
        ({}, b'{"text": "of another format"}\n', "row_field_missing", "file"),
    ],
)
def test_a_faulty_upload_is_refused(
    town: Town, header: dict[str, Any], test: bytes | None, code: str, field: str
) -> None:
    before = _footprint(town)
    found, params, said = _refusal(town, "UploadDataset", _upload("d", GOOD * 2, test, **header))
    assert found == code
    assert not field or params[field]
    _in_all_languages(found, params, said)
    assert _footprint(town) == before


def test_messages_out_of_order_are_refused(town: Town) -> None:
    before = _footprint(town)
    header = pb.UploadDatasetRequest(header=pb.UploadHeader(project=PROJECT, name="d"))
    train = pb.UploadDatasetRequest(train=GOOD)
    for messages, code in (
        ([], "not_found"), ([train], "not_found"), ([header], "dataset_empty"), ([header, header], "field_invalid"),
        ([header, train, pb.UploadDatasetRequest()], "field_invalid"),
    ):  # fmt: skip
        assert _refusal(town, "UploadDataset", iter(messages))[0] == code
    assert _footprint(town) == before


class _Endless:
    """A line of 100 MB that is never in memory as a whole."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readline(self, limit: int) -> bytes:
        taken = min(limit, self.left)
        self.left -= taken
        return b"x" * taken


def test_a_line_of_100_mb_takes_no_memory_to_speak_of(own_town: Town) -> None:
    before = _footprint(own_town)
    tracemalloc.start()
    with pytest.raises(RowTooLong) as refusal:
        json_lines.upload(SYSTEM, own_town.cp, PROJECT, "long", _Endless(100_000_000), None)  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refusal.value.params["line"] == 1
    assert peak < 4 * own_town.cp.settings.max_row_bytes
    assert _footprint(own_town) == before


def test_a_full_disk_keeps_nothing_of_an_upload(own_town: Town) -> None:
    before = _footprint(own_town)
    full = Blobs(own_town.cp.settings.data / "blobs", min_free=1 << 20, free=lambda _: 1 << 20)
    cp = replace(own_town.cp, blobs=full)
    with pytest.raises(DiskFull) as refusal:
        json_lines.upload(SYSTEM, cp, PROJECT, "d", BytesIO(GOOD * 9), None)
    assert refusal.value.params["free"] == 0
    _in_all_languages("disk_full", refusal.value.params, wording.say("disk_full", refusal.value.params, "en"))
    assert _footprint(own_town) == before


# ---- jobs


def _job(town: Town, **changes: Any) -> pb.SubmitJobRequest:
    inputs = {"base": ("model", town.made["base"]), "dataset": ("dataset", town.made["version"])}
    inputs |= changes.pop("inputs", {})
    refs = [pb.InputRef(name=name, kind=kind, id=number) for name, (kind, number) in inputs.items() if kind]
    values = {"project": PROJECT, "method": "sft_demo", "name": "job", "seed": 1} | changes
    return pb.SubmitJobRequest(inputs=refs, **values)


PARAMETERS = {
    '{"stepz": 3}': ("parameter_unknown", "stepz"),
    '{"\\ud800": 3}': ("parameter_unknown", "?"),
    '{"steps": 0}': ("parameter_out_of_range", "steps"),
    '{"steps": 1e300}': ("parameter_out_of_range", "steps"),
    '{"steps": "many"}': ("parameter_type_wrong", "steps"),
    '{"steps": null}': ("parameter_type_wrong", "steps"),
    '{"steps": [[[]]]}': ("parameter_type_wrong", "steps"),
    '{"learning_rate": -1}': ("parameter_out_of_range", "learning_rate"),
}
NO_PARAMETERS = [
    "[]", "{", "7", '{"steps": NaN}', '{"learning_rate": 1e999}', '{"steps": ' + "9" * 400 + "}", "[" * 10_000,
    '{"a": ' * 500,
]  # fmt: skip


@pytest.mark.parametrize("parameters", sorted(PARAMETERS))
def test_a_faulty_parameter_is_named(town: Town, parameters: str) -> None:
    before = _footprint(town)
    code, params, said = _refusal(town, "SubmitJob", _job(town, parameters=parameters))
    assert (code, params["parameter"]) == PARAMETERS[parameters]
    _in_all_languages(code, params, said)
    assert _footprint(town) == before


def test_what_is_no_object_of_parameters_is_refused(town: Town) -> None:
    before = _footprint(town)
    for parameters in NO_PARAMETERS:
        code, params, _ = _refusal(town, "SubmitJob", _job(town, parameters=parameters))
        assert (code, params["field"]) == ("field_invalid", "parameters"), parameters[:40]
    for value in (float("nan"), float("inf"), 10**400, "\ud800"):
        with pytest.raises(errors.ParameterInvalid):  # the same through a form
            jobs.submit(SYSTEM, town.cp, PROJECT, "sft_demo", parameters={"steps": value})
    assert _footprint(town) == before


def test_a_faulty_job_is_refused_with_its_place(town: Town) -> None:
    before, made = _footprint(town), town.made
    for request, code, params in (
        (_job(town, method="magic"), "method_unknown", {"method": "magic"}),
        (_job(town, method="x" * 1_000_000), "method_unknown", {"method": "x" * 160 + "…"}),
        (_job(town, method="😀" * 100_000), "method_unknown", {"method": "😀" * 160 + "…"}),
        (_job(town, name="No Name"), "name_invalid", {"name": "No Name"}),
        (_job(town, seed=-1), "parameter_invalid", {"parameter": "seed"}),
        (_job(town, inputs={"base": ("", 0)}), "input_missing", {"input": "base"}),
        (_job(town, inputs={"bass": ("model", 1)}), "input_unknown", {"input": "bass"}),
        (_job(town, inputs={"base": ("dataset", 1)}), "input_unfit", {"input": "base", "given": "dataset"}),
        (_job(town, inputs={"base": ("model", made["gguf"])}), "input_unfit", {"input": "base", "given": "gguf"}),
        (_job(town, inputs={"base": ("model", 0)}), "not_found", {}),
        (_job(town, project="nowhere"), "not_found", {}),
    ):
        found, told, said = _refusal(town, "SubmitJob", request)
        assert (found, told | params) == (code, told)
        _in_all_languages(found, told, said)
    assert _footprint(town) == before


def test_a_dataset_in_a_format_that_the_method_does_not_take(own_town: Town) -> None:
    rows = b'{"prompt": "a", "chosen": "b", "rejected": "c"}\n'
    version, _ = json_lines.upload(SYSTEM, own_town.cp, PROJECT, "pairs", BytesIO(rows), None)
    before, inputs = _footprint(own_town), {"base": own_town.made["base"], "dataset": version.id}
    with pytest.raises(errors.InputUnfit) as refusal:
        jobs.submit(SYSTEM, own_town.cp, PROJECT, "sft_demo", inputs=inputs)
    assert refusal.value.params["given"] == "preference"
    assert _footprint(own_town) == before


def test_a_deployment_of_nonsense_is_refused(town: Town) -> None:
    before, made = _footprint(town), town.made
    for changes, code in (
        ({"model_id": made["adapter"]}, "model_unfit"), ({"model_id": 0}, "not_found"),
        ({"slots": -1}, "field_invalid"), ({"name": "A B"}, "name_invalid"),
        ({"slots": 65}, "field_invalid"), ({"context_length": 2**31 - 1}, "field_invalid"),
    ):  # fmt: skip
        values = {"project": PROJECT, "name": "new", "model_id": made["gguf"]} | changes
        found, params, said = _refusal(town, "Deploy", pb.DeployRequest(**values))
        assert found == code, changes
        _in_all_languages(found, params, said)
    assert _footprint(town) == before


def test_a_job_that_fits_no_machine_waits_and_says_why(own_town: Town) -> None:
    cp = own_town.cp
    MachineRecord.update(connectivity="DISCONNECTED").execute()
    job = jobs.submit(SYSTEM, cp, PROJECT, "import_base_model", parameters={"reference": "small"})
    scheduling.run_pass(cp)
    job = JobRecord.get_by_id(job.id)
    assert job.state == "QUEUED"
    told = {locale: wording.waiting(job.waiting_code, job.waiting_params, locale) for locale in wording.LOCALES}
    assert len({*told.values()}) == 3, told
    assert all(told.values())


@pytest.mark.parametrize(
    "file", ["", ".", "..", "../../../etc/passwd", "/etc/passwd", "\x00", "x" * 100_000, "case.toml/x"]
)
def test_a_case_gives_its_own_files_only(town: Town, file: str) -> None:
    request = pb.GetCaseFileRequest(case="machine_faults", file=file)
    assert _refusal(town, "GetCaseFile", request)[0] == "not_found"


def test_a_token_that_is_wrong_expired_or_revoked_says_so_in_each_language(own_town: Town) -> None:
    cp = own_town.cp
    nora = people.actor_of_token(cp, own_town.tokens[NORA], "")
    short, _ = people.create_token(nora, cp, "short", 60.0)
    gone, record = people.create_token(nora, cp, "gone")
    people.revoke_token(nora, cp, record.id)
    cp.clock.advance(61)  # type: ignore[attr-defined]
    own_town.server.start()
    try:
        for token in ("tsk_wrong", short, gone, "x" * 4_000):
            said = {
                one: _refusal(own_town, "WhoAmI", pb.WhoAmIRequest(), token=token, language=one)
                for one in ("en", "de", "zh")
            }
            assert {code for code, _, _ in said.values()} == {"token_refused"}
            assert len({words for _, _, words in said.values()}) == 3
            assert not any(token in str(answer) for answer in said.values())
    finally:
        own_town.server.stop(grace_seconds=0.2)


def test_each_error_can_be_said_with_any_parameters() -> None:
    """What came from outside is quoted: braces, marks of direction, huge numbers, lists."""
    odd: tuple[Any, ...] = ("{0} {x} %s %(a)s", "\u202e\x00", 10**30, -1, ["a", "{b}"], {"c": 1}, None, 1e308)
    for kind in errors.every():
        sentence = errors.sentence_of(kind)
        names = [part.split("}")[0] for part in sentence.replace("{{", "").split("{")[1:]]
        for value in odd:
            for locale in wording.LOCALES:
                assert wording.say(errors.code_of(kind), dict.fromkeys(names, value), locale)
    assert issubclass(kind, TunesmithError)
