"""`state` and `fence` of jobs, attempts and replicas are written in services/transitions.py and nowhere else."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "control_plane"
WRITER = ROOT / "services" / "transitions.py"
GUARDED = {"JobRecord", "AttemptRecord", "ReplicaRecord"}
COLUMNS = {"state", "fence"}
MAKING = {"create", "insert", "insert_many", "get_or_create", "replace", "bulk_create", "bulk_update"}


def record_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) and node.id in GUARDED else ""


def names_column(call: ast.Call) -> bool:
    """Whether a call sets a guarded column, by keyword, by a dict's key, or in a way that cannot be seen."""
    keys = {keyword.arg for keyword in call.keywords}
    for value in [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg is None)]:
        if not isinstance(value, ast.Dict):
            return True
        keys |= {key.value for key in value.keys if isinstance(key, ast.Constant)}
    return bool(keys & COLUMNS)


def writes(tree: ast.Module) -> list[int]:
    """Lines that write a guarded column, make such a record, or set the attribute of anything."""
    found = []
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    handled = {name.name for node in imports for name in node.names} & GUARDED
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(one, ast.Attribute) and one.attr in COLUMNS for one in targets):
                found.append(node.lineno)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            record, verb = record_of(node.func.value), node.func.attr
            made = bool(record) and verb in MAKING
            updated = bool(record) and verb == "update" and names_column(node)
            saved = verb == "save" and bool(handled)
            if made or updated or saved:
                found.append(node.lineno)
        elif isinstance(node, ast.Call) and record_of(node.func):
            found.append(node.lineno)  # JobRecord(…) to be saved later
    return found


def test_state_is_written_in_one_place() -> None:
    wrong = {}
    for path in ROOT.rglob("*.py"):
        if path != WRITER and path.parent.name != "migrations":
            lines = writes(ast.parse(path.read_text(encoding="utf-8")))
            if lines:
                wrong[str(path.relative_to(ROOT))] = lines
    assert wrong == {}


def test_the_writer_itself_is_seen() -> None:
    assert len(writes(ast.parse(WRITER.read_text(encoding="utf-8")))) >= 6


@pytest.mark.parametrize(
    "code",
    [
        "JobRecord.update(state='FAILED').execute()",
        "AttemptRecord.update({'fence': 3}).execute()",
        "ReplicaRecord.update(**{'state': 'SERVING'})",
        "JobRecord.create(name='x')",
        "job.state = 'FAILED'",
        "job.fence += 1",
        "from control_plane.store.jobs import JobRecord; job.save()",
        "JobRecord.update(**columns)",
        "AttemptRecord(job=1)",
    ],
)
def test_each_way_of_writing_is_caught(code: str) -> None:
    assert writes(ast.parse(code)) == [1]


@pytest.mark.parametrize(
    "code", ["JobRecord.update(version=2)", "if job.state == 'X': pass", "Need(state=1)", "ok = state"]
)
def test_reading_is_not_writing(code: str) -> None:
    assert writes(ast.parse(code)) == []
