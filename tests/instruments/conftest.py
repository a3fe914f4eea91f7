"""What the tests of the instruments share: a table of answers, and a small definition to spoil."""

import json
import math
import runpy
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from instruments import Instrument, load_instrument, load_library

Answers = Sequence[float | None]
REFERENCE = Path(__file__).parent / "reference"

TINY = """\
id: tiny
version: 1.0.0
changes: {1.0.0: First version.}
name: A tiny instrument
short_name: TINY
construct_name: trust
domain: social
citation: {text: None, doi: 10.1000/tiny}
licence: {status: free, terms: Free., source: Test}
languages: [en]
recall_period: today
population: adults
response_sets:
  steps: {options: [{value: 1, label: low}, {value: 2}, {value: 4, label: high}]}
  agreement: {options: [{value: 1}, {value: 2}, {value: 3}]}
  line: {minimum: 0, maximum: 100}
items:
  - {id: 1, concept: trust, response_set: agreement}
  - {id: 2, concept: doubt, response_set: agreement, reverse: true}
  - {id: 3, concept: hope, response_set: agreement, safety: {at_least: 3, note: Call.}}
  - {id: 4, concept: ease, response_set: steps}
  - {id: 5, concept: mood, response_set: line}
measures:
  - id: trust
    label: Trust
    concept: trust
    items: [1, 2, 3]
    method: mean
    multiply: 10
    missing: {max_missing: 1, treat: prorate}
    range: [10, 30]
    higher_is: better
    bands:
      - {low: 10, high: 19, label: little, source: Test}
      - {low: 20, high: 30, label: much, source: Test}
  - id: ease
    label: Ease
    concept: ease
    items: [4, 5]
    method: sum
    missing: {max_missing: 0, treat: none}
    range: [1, 104]
    higher_is: better
reliability: [{statistic: cronbach_alpha, lowest: 0.7, highest: 0.8, sample: adults, source: Test}]
smallest_change: [{measure: trust, kind: reliable_change, value: 4, source: Test}]
loinc: {panel: 44249-1, measures: {trust: 44261-6}, items: {1: 44250-9}}
facts:
  items: {status: confirmed, source: Test}
  response_options: {status: confirmed, source: Test}
  reverse: {status: confirmed, source: Test}
  scoring: {status: confirmed, source: Test}
  missing_rule: {status: confirmed, source: Test}
  range: {status: confirmed, source: Test}
  direction: {status: confirmed, source: Test}
  recall: {status: unconfirmed, source: Test}
  licence: {status: confirmed, source: Test}
  citation: {status: confirmed, source: Test}
  population: {status: confirmed, source: Test}
  languages: {status: confirmed, source: Test}
  bands: {status: confirmed, source: Test}
  reliability: {status: confirmed, source: Test}
  smallest_change: {status: confirmed, source: Test}
  loinc: {status: confirmed, source: Test}
"""


@pytest.fixture(scope="session")
def tiny() -> str:
    """A valid definition that uses every section."""
    return TINY


@pytest.fixture(scope="session")
def library() -> Mapping[str, Instrument]:
    """The shipped definitions."""
    return load_library()


@pytest.fixture(scope="session")
def responses_of() -> Callable[..., pd.DataFrame]:
    """Builds the `responses` table of one instrument: one list of answers in item order per participant."""

    def build(instrument: str, *answers: Answers, timepoint: str = "baseline") -> pd.DataFrame:
        rows = [
            {
                "participant_id": f"p{person}",
                "timepoint": timepoint,
                "instrument": instrument,
                "item": str(item),
                "raw": "" if value is None else str(value),
                "value": math.nan if value is None else float(value),
                "missing_reason": "blank" if value is None else "",
                "answered_on": "",
                "source": "test.csv",
                "source_row": person + 2,
            }
            for person, given in enumerate(answers)
            for item, value in enumerate(given, start=1)
        ]
        return pd.DataFrame(rows)

    return build


@pytest.fixture
def instrument(tmp_path: Path, tiny: str) -> Instrument:
    """The small definition, loaded."""
    path = tmp_path / "tiny.yaml"
    path.write_text(tiny)
    return load_instrument(path)


@pytest.fixture(scope="session")
def simulated() -> Mapping[str, Any]:
    """The module that invents the answers of the psychometric reference."""
    return runpy.run_path(str(REFERENCE / "simulate_answers.py"))


@pytest.fixture(scope="session")
def data_sets(simulated: Mapping[str, Any]) -> Any:
    """The invented answers."""
    return simulated["data_sets"]()


@pytest.fixture(scope="session")
def reference() -> Any:
    """What R says of them."""
    return json.loads((REFERENCE / "psychometrics.json").read_text())
