"""Strict documents: what YAML may hold, and errors that name the line."""

from pathlib import Path

import pytest

from data_contracts import DataContractError
from data_contracts.documents import MAX_BYTES, Code, Document, StrictModel, load_document, parse_yaml


class Pet(StrictModel):
    name: str
    legs: int = 4
    tags: list[Code] = []


class Home(StrictModel):
    street: str
    pets: list[Pet] = []


def load(tmp_path: Path, text: str) -> Document[Home]:
    path = tmp_path / "home.yaml"
    path.write_text(text)
    return load_document(path, Home)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (
            "street: a\npets:\n  - {name: Rex, leg: 3}\n",
            3,
            "Unknown key 'leg'. Did you mean 'legs'? Allowed: name, legs, tags.",
        ),
        ("street: a\npets:\n  - name: Rex\n    legs: four\n", 4, "Found 'four'. Write a whole number."),
        ("street: 12\n", 1, "Found 12. Write text."),
        ("pets: []\n", 1, "The key 'street' is missing."),
        ("street: a\nstreet: b\n", 2, "'street' stands twice"),
        ("street: &x a\n", 1, "Anchors and aliases are not allowed"),
        ("street: !!python/object/apply:os.system [ls]\n", 1, "Tags are not allowed"),
        ("street: [a\n", 2, "home.yaml"),
        ("- a\n", 1, "not a list of 'key: value' lines"),
        ("", 1, "Start it with 'street: ...'."),
        ("street: " + "[" * 30 + "]" * 30 + "\n", 1, "Nested deeper"),
    ],
)
def test_a_wrong_document_is_refused_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(DataContractError) as caught:
        load(tmp_path, text)
    problem = caught.value.problems[0]
    assert (problem.file, problem.line) == ("home.yaml", line)
    assert words in str(problem)


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(DataContractError) as caught:
        load(tmp_path, "strete: a\npets:\n  - {name: 3}\n")
    assert len(caught.value.problems) == 3


def test_a_missing_a_huge_and_a_misencoded_document_are_refused_in_words(tmp_path: Path) -> None:
    huge, latin = tmp_path / "huge.yaml", tmp_path / "latin.yaml"
    huge.write_text("a: " + "x" * MAX_BYTES)
    latin.write_bytes("street: caf\xe9".encode("latin-1"))
    for path, code in ((tmp_path / "none.yaml", "file_missing"), (huge, "document_too_large"), (latin, "not_utf8")):
        with pytest.raises(DataContractError) as caught:
            load_document(path, Home)
        assert caught.value.problems[0].code == code


def test_words_and_times_stay_text_and_only_plain_numbers_are_typed() -> None:
    data, lines = parse_yaml("a: no\nb: 12:30\nc: 010\nd: 1e3\ne: true\nf: -9\ng: '7'\nh:\n-9: x\n", "x.yaml")
    assert data == {
        "a": "no",
        "b": "12:30",
        "c": "010",
        "d": 1000.0,
        "e": True,
        "f": -9,
        "g": "7",
        "h": None,
        "-9": "x",
    }
    assert lines["g",] == 7


def test_a_bare_number_is_read_as_a_code_where_codes_are_meant(tmp_path: Path) -> None:
    assert load(tmp_path, "street: a\npets:\n  - {name: Rex, tags: [1, b]}\n").value.pets[0].tags == ["1", "b"]


def test_a_problem_can_point_at_any_key_of_a_document(tmp_path: Path) -> None:
    document = load(tmp_path, "street: a\npets:\n  - name: Rex\n")
    problem = document.problem(("pets", 0, "name"), "x", "Wrong.", "Mend it.")
    assert str(problem) == "home.yaml, line 3, pets[0].name: Wrong. Mend it."
