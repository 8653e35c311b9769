"""Every method folder is whole: manifest, entry, requirements, example, and texts in three languages."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from control_plane.domain import errors
from control_plane.domain.manifest import taken_over

METHODS = Path(__file__).parents[2] / "methods"
SCHEMA = json.loads((METHODS / "kit" / "manifest.schema.json").read_text(encoding="utf-8"))
NAMES = sorted(path.parent.name for path in METHODS.glob("*/method.toml"))


def manifest(name: str) -> dict[str, Any]:
    """With what it takes over from the kit."""
    return taken_over(read(METHODS / name / "method.toml"), read(METHODS / "kit" / "parameters.toml"))


def read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_the_first_methods_are_there() -> None:
    assert {"import_base_model", "sft_demo", "evaluate", "export_gguf"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_manifest_follows_the_schema(name: str) -> None:
    content = manifest(name)
    jsonschema.Draft202012Validator(SCHEMA).validate(content)
    assert content["name"] == name
    assert (METHODS / name / content["entry"]).is_file()
    assert (METHODS / name / "README.md").is_file()


def test_schema_refuses_a_missing_language_and_an_unknown_word() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert not validator.is_valid({**manifest("evaluate"), "display": {"en": "Test", "de": "Prüfung"}})
    assert not validator.is_valid({**manifest("evaluate"), "colour": "red"})


def test_schema_demands_what_a_result_is_made_from() -> None:
    validator = jsonschema.Draft202012Validator(SCHEMA)

    def is_valid(name: str, output: str, **changed: str | None) -> bool:
        content = manifest(name)
        edges = {key: value for key, value in (content["outputs"][output] | changed).items() if value is not None}
        return validator.is_valid({**content, "outputs": {output: edges}})

    assert is_valid("sft_demo", "model") and not is_valid("sft_demo", "model", **{"from": None})
    assert not is_valid("sft_demo", "model", candidate="base")
    assert not is_valid("import_base_model", "model", **{"from": "base"})
    assert is_valid("evaluate", "evaluation", baseline=None)
    assert not is_valid("evaluate", "evaluation", candidate=None)
    assert not is_valid("evaluate", "evaluation", dataset=None)
    assert not is_valid("evaluate", "evaluation", **{"from": "candidate"})


@pytest.mark.parametrize("name", NAMES)
def test_parameters_have_groups_and_defaults_that_fit(name: str) -> None:
    content = manifest(name)
    parameters = content["parameters"]
    in_english = {name: {**one, "title": one["title"]["en"], "description": one["description"]["en"]}
                  for name, one in parameters["properties"].items()}  # fmt: skip
    jsonschema.Draft202012Validator.check_schema({**parameters, "properties": in_english})
    for parameter, schema in parameters["properties"].items():
        assert ("default" in schema) != (parameter in parameters.get("required", [])), parameter
        if "default" in schema:
            jsonschema.Draft202012Validator(schema).validate(schema["default"])
        assert schema["x-group"] in content["groups"], parameter
        for special in ("x-warnings", "x-platforms"):
            assert set(schema.get(special, {})) <= {str(one).lower() for one in schema.get("enum", [True, False])}
        for other, values in schema.get("x-visible-if", {}).items():
            can_be = parameters["properties"][other].get("enum", [True, False])
            assert set(values if isinstance(values, list) else [values]) < set(can_be), (parameter, other)


@pytest.mark.parametrize("name", NAMES)
def test_presets_are_within_the_schema_and_the_balanced_one_is_what_a_form_begins_with(name: str) -> None:
    content = manifest(name)
    parameters = content["parameters"]
    example = json.loads((METHODS / name / "example.json").read_text(encoding="utf-8"))["parameters"]
    defaults = {key: one.get("default", example[key]) for key, one in parameters["properties"].items()}
    if content["kind"] == "train":
        assert list(content["presets"]) == ["quick", "balanced", "thorough"]
        assert "training" in content["resources"], "what it takes follows from the sizes of the model"
    for preset in content.get("presets", {}).values():
        jsonschema.Draft202012Validator(parameters).validate(defaults | preset["values"])
    assert content.get("presets", {}).get("balanced", {"values": {}})["values"] == {}


@pytest.mark.parametrize("name", NAMES)
def test_example_fits_the_manifest(name: str) -> None:
    content, job = manifest(name), json.loads((METHODS / name / "example.json").read_text(encoding="utf-8"))
    assert job["method"] == name
    jsonschema.Draft202012Validator(content["parameters"]).validate(job["parameters"])
    assert set(job["parameters"]) == set(content["parameters"]["properties"]), "parameters arrive complete"
    inputs = content.get("inputs", {})
    assert set(job["inputs"]) <= set(inputs)
    assert {key for key, value in inputs.items() if value.get("required", True)} <= set(job["inputs"])
    for key, value in job["inputs"].items():
        accepted = inputs[key].get("forms") or inputs[key].get("formats")
        assert value["kind"] == inputs[key]["kind"]
        assert value.get("form", value.get("format")) in accepted


def test_each_shared_parameter_is_taken_over_as_it_is_or_said_differently() -> None:
    shared = read(METHODS / "kit" / "parameters.toml")
    used = {one.get("use") for name in NAMES
            for one in read(METHODS / name / "method.toml")["parameters"].get("properties", {}).values()}  # fmt: skip
    assert set(shared["parameters"]) <= used, "shared by nobody"
    assert set(shared["groups"]) >= {one["x-group"] for one in shared["parameters"].values()}
    properties: dict[str, Any] = {"steps": {"use": "steps", "default": 7}, "own": {"type": "null"}}
    source = {"name": "mine", "parameters": {"properties": properties}}
    taken = taken_over(source, shared)
    assert taken["parameters"]["properties"]["steps"] == shared["parameters"]["steps"] | {"default": 7}
    assert taken["parameters"]["properties"]["own"] == {"type": "null"}
    assert taken["groups"] == {"basics": shared["groups"]["basics"]}
    named = taken_over(source | {"presets": {"quick": {"values": {"steps": 2}}}}, shared)["presets"]["quick"]
    assert named == {"display": shared["presets"]["quick"]["display"], "values": {"steps": 2}}
    properties["own"] = {"use": "stepz"}
    with pytest.raises(
        errors.MethodBroken, match=r"parameters\.properties\.own\.use: the kit has no parameter 'stepz'"
    ):
        taken_over(source, shared)


def test_all_methods_share_one_torch() -> None:
    pins = {
        line
        for name in NAMES
        for line in (METHODS / name / "requirements.txt").read_text(encoding="utf-8").splitlines()
        if line.startswith("torch=")
    }
    assert len(pins) == 1


def test_nothing_makes_the_methods_a_package_and_no_code_is_trusted() -> None:
    assert not list(METHODS.rglob("__init__.py"))
    for path in METHODS.rglob("*.py"):
        for found in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(found, ast.keyword) and found.arg == "trust_remote_code":
                assert isinstance(found.value, ast.Constant) and found.value.value is False, path
            if isinstance(found, ast.Call) and ast.unparse(found.func) == "torch.load":
                assert "weights_only=True" in ast.unparse(found), path


def refusals(folder: Path) -> Iterator[tuple[str, set[str]]]:
    """(code, names of its parameters) of each refusal and each warning in a folder."""
    for path in folder.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = {"fail": 0, "events.message": 1}.get(ast.unparse(call.func)) if isinstance(call, ast.Call) else None
            if place is not None and isinstance(call.args[place], ast.Constant):
                yield ast.literal_eval(call.args[place]), {str(given.arg) for given in call.keywords}


@pytest.mark.parametrize("name", ["kit", *NAMES])
def test_each_refusal_is_said_in_each_language(name: str) -> None:
    kit = read(METHODS / "kit" / "messages.toml")
    own = {} if name == "kit" else manifest(name).get("messages", {})
    ours = {errors.code_of(kind): errors.sentence_of(kind) for kind in errors.every()}
    found = list(refusals(METHODS / name))
    for code, params in found:
        said = [ours[code]] if code in ours else list((kit | own)[code].values())
        assert len(said) == 1 or len(said) == 2
        assert {place for text in said for place in re.findall(r"\{(\w+)\}", text)} <= params, code
    assert set(kit if name == "kit" else own) <= {code for code, _ in found}, "said by nobody"
