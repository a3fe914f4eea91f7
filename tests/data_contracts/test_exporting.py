"""Contracts as other tools read them: ODCS 3.1 and JSON Schema, valid against the schemas of both."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from data_contracts import Contract, load_contract, shipped_contract, shipped_contract_names
from data_contracts.exporting import drop_parameters, fill_contract, json_schema, odcs_yaml

PARAMETERS: dict[str, Any] = {
    "timepoints": ["baseline", "post"], "arms": ["peer", "usual"], "options": {"gad-7 frequency": [0.0, 1.0, 2.0, 3.0], "empty": []},
    "ranges": {"age": (18.0, 99.0)}, "levels": {"sex": ["f", "m"]}, "measure_ranges": {"gad-7.total": (0.0, 21.0)},
    "unit_interval": (0.0, 1.0), "attendance": ["attended", "absent"],
    "event_kinds": ["left", "hospital"], "event_days": (-366.0, 800.0),
    "themes": ["belonging"], "themes_or_none": ["belonging", "no theme"],
}  # fmt: skip
NAMES = shipped_contract_names()


@pytest.fixture(scope="session")
def odcs() -> jsonschema.protocols.Validator:
    """The validator of the standard's own schema, as its package ships it."""
    schema = resources.files("open_data_contract_standard") / "schema.json"
    return jsonschema.Draft201909Validator(json.loads(schema.read_text()))


def read_by_others(text: str, odcs: jsonschema.protocols.Validator) -> OpenDataContractStandard:
    assert [error.message for error in odcs.iter_errors(yaml.safe_load(text))] == []
    return OpenDataContractStandard.from_string(text)


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_contract_is_one_of_the_standard(
    project: Path, name: str, odcs: jsonschema.protocols.Validator
) -> None:
    text = (project / "data_contracts" / "contracts" / f"{name}.yaml").read_text()
    read = read_by_others(text, odcs)
    assert (read.id, read.apiVersion) == (name, "v3.1.0")


def test_the_schema_of_the_standard_refuses_what_is_not_of_it(odcs: jsonschema.protocols.Validator) -> None:
    document = yaml.safe_load(odcs_yaml(shipped_contract("participants")))
    document["schema"][0]["additionalProperties"] = True
    assert list(odcs.iter_errors(document))


@pytest.mark.parametrize("name", NAMES)
def test_an_export_is_of_the_standard_and_reads_back_as_the_same_contract(
    tmp_path: Path, name: str, odcs: jsonschema.protocols.Validator
) -> None:
    filled = fill_contract(shipped_contract(name), PARAMETERS)
    read_by_others(odcs_yaml(filled), odcs)
    path = tmp_path / f"{name}.yaml"
    path.write_text(odcs_yaml(filled))
    assert load_contract(path) == filled
    assert odcs_yaml(load_contract(path)) == odcs_yaml(filled)


@pytest.mark.parametrize("name", NAMES)
def test_no_parameter_is_left_where_all_are_given(name: str) -> None:
    assert drop_parameters(fill_contract(shipped_contract(name), PARAMETERS))[1] == ()


def test_rules_that_need_a_study_are_dropped_by_name() -> None:
    contract, dropped = drop_parameters(shipped_contract("participants"))
    assert dropped == ("known_arm",)
    assert [rule.name for _, rule in contract.table.rules] == ["has_rows", "one_row_each", "pseudonym"]


def test_a_parameter_becomes_values_and_one_per_key_becomes_conditions() -> None:
    (rule,) = (
        rule
        for _, rule in fill_contract(shipped_contract("participants"), PARAMETERS).table.rules
        if rule.name == "known_arm"
    )
    assert rule.arguments.validValues == ["peer", "usual"]
    filled = fill_contract(shipped_contract("scores"), PARAMETERS)
    scores = {rule.name: rule for _, rule in filled.table.rules}
    condition = scores["in_range.1"].condition
    assert scores["in_range.1"].arguments.validRange == [0, 21]
    assert condition is not None
    assert (condition.property, condition.validValues) == ("measure", ["gad-7.total"])


def row(**values: Any) -> dict[str, Any]:
    base = {"participant_id": "p_1", "timepoint": "baseline", "measure": "gad-7.total", "score": 3.0, "n_items": 7, "n_answered": 7, "method": "complete"}  # fmt: skip
    return base | values


@pytest.mark.parametrize(
    ("values", "is_valid"),
    [
        ({}, True), ({"score": None}, True), ({"score": 21}, True), ({"score": 22}, False), ({"score": "3"}, False),
        ({"score": 22, "measure": "other.total"}, True), ({"timepoint": "later"}, False), ({"timepoint": ""}, False),
        ({"timepoint": None}, False), ({"method": "guessed"}, False), ({"n_items": 7.5}, False), ({"surprise": 1}, False),
    ],
)  # fmt: skip
def test_the_json_schema_takes_and_refuses_the_rows_that_the_contract_does(
    values: dict[str, Any], is_valid: bool
) -> None:
    schema = json_schema(fill_contract(shipped_contract("scores"), PARAMETERS))
    assert jsonschema.Draft202012Validator(schema).is_valid([row(**values)]) is is_valid


@pytest.mark.parametrize("name", NAMES)
def test_every_json_schema_is_a_valid_one(name: str) -> None:
    for contract in (shipped_contract(name), fill_contract(shipped_contract(name), PARAMETERS)):
        jsonschema.Draft202012Validator.check_schema(json_schema(contract))


def test_the_json_schema_holds_patterns_presence_and_open_tables_but_no_warnings() -> None:
    document = shipped_contract("participants").model_dump(by_alias=True)
    site = next(one for one in document["schema"][0]["properties"] if one["name"] == "site")
    rule = {
        "name": "known_site",
        "description": "Known.",
        "metric": "invalidValues",
        "mustBe": 0,
        "arguments": {"validValues": ["north"]},
    }
    present = {"name": "has_site", "description": "There is one.", "metric": "nullValues", "mustBe": 0}
    person = {"participant_id": f"p_{'0' * 24}", "arm": "peer", "group": "", "site": "north"}
    for severity, is_valid in (("error", False), ("warning", True)):
        site["quality"] = [rule | {"severity": severity}, present | {"severity": severity}]
        validator = jsonschema.Draft202012Validator(json_schema(Contract.model_validate(document)))
        assert validator.is_valid([person | {"age": 44}])
        assert not validator.is_valid([person | {"participant_id": "ann"}])
        assert validator.is_valid([person | {"site": "south"}]) is is_valid
        assert validator.is_valid([person | {"site": ""}]) is is_valid
