"""Wording overlays: whose words, of which instrument, and nothing left out."""

import pytest

from data_contracts.errors import PeerimpactError
from instruments.wording import find_wording, item_label, load_wording, option_label

WORDS = """\
instrument: tiny
language: en
holder: Test press
items:
  1: Invented question one?
  2: Two?
  3: Three?
  4: Four?
  5: Five?
options: {agreement: {1: no, 3: yes}}
"""


@pytest.fixture
def write(tmp_path):
    def write(text: str, name: str = "tiny.en.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_items_and_options_are_called_by_the_wording_where_there_is_one(write, instrument):
    wording = load_wording(write(WORDS), instrument)
    assert item_label(instrument.items[0], wording) == "Invented question one?"
    assert item_label(instrument.items[0], None) == "trust"
    agreement = instrument.response_sets["agreement"].options
    assert [option_label("agreement", option, wording) for option in agreement] == ["no", "2", "yes"]
    assert [option_label("steps", option, None) for option in instrument.response_sets["steps"].options] == [
        "low", "2", "high",
    ]  # fmt: skip


def test_wording_is_found_by_instrument_and_language(write, instrument, tmp_path):
    write(WORDS)
    assert find_wording(tmp_path, instrument, "en") is not None
    assert find_wording(tmp_path, instrument, "de") is None
    assert find_wording(tmp_path / "nowhere", instrument, "en") is None


@pytest.mark.parametrize(
    ("old", "new", "name", "told"),
    [
        ("5: Five?", "6: Six?", "tiny.en.yaml", "line 4.*No question is given for 5"),
        ("  5: Five?", "  5: Five?\n  6: Six?", "tiny.en.yaml", "tiny has no '6'"),
        ("agreement: {", "agreemint: {", "tiny.en.yaml", "tiny has no 'agreemint'"),
        ("3: yes", "4: yes", "tiny.en.yaml", "tiny has no '4'"),
        ("language: en", "language: de", "tiny.en.yaml", "words 'tiny' in 'de'"),
        ("instrument: tiny", "instrument: huge", "tiny.en.yaml", "words 'huge'"),
        ("holder: Test press\n", "", "tiny.en.yaml", "holder"),
        ("language: en", "language: en", "tiny.de.yaml", "name it tiny.en.yaml"),
    ],
)
def test_wording_that_does_not_fit_is_refused_with_its_line(write, instrument, old, new, name, told):
    with pytest.raises(PeerimpactError, match=told):
        load_wording(write(WORDS.replace(old, new), name), instrument)
