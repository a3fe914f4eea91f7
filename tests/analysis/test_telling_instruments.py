"""What is told of instruments: the rules of delivered totals, and how measures work, in sentences that can be said."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from analysis.telling import Told, read_told
from instruments import Instrument, InstrumentError, load_library
from instruments.audit.forms import list_forms_read
from instruments.audit.rules import Rule, list_forms, list_missing_rules
from instruments.audit.verdict import _Candidate, _say_open
from instruments.psychometrics.factor_analysis import fit_one_factor
from instruments.psychometrics.invariance import WORDS, assess_invariance
from instruments.psychometrics.moments import summarise_answers
from instruments.psychometrics.reliability import (
    derive_measurement_error,
    estimate_alpha,
    estimate_omega,
    estimate_retest_agreement,
)
from instruments.psychometrics.sample import MeasureSample, assess_sample

from .said_again import find_unsayable

LIBRARY = {name: one for name, one in load_library().items() if one.scored_measures}
ROWS = 60


def draw_answers(instrument: Instrument, higher: int = 0) -> np.ndarray:
    """Any answers that may be given, all codes so much higher."""
    rng = np.random.default_rng(3)
    allowed = [instrument.allowed_values(item.id) for item in instrument.items]
    codes = [np.array(each.options or np.arange(each.minimum, each.maximum + 1), dtype="float64") for each in allowed]
    return np.column_stack([rng.choice(each, ROWS) for each in codes]) + higher


def rules_of(instrument: Instrument) -> Iterator[Rule]:
    """Every rule that totals are held against, whether the codes are the declared ones or lie one higher."""
    for higher in (0, 1):
        try:
            forms = list_forms_read(draw_answers(instrument, higher), instrument)
        except InstrumentError:
            continue  # no form has such codes
        readings = [reading for form in forms for reading in form.read()]
        for rule in list_forms(readings):
            yield rule
            for missing in list_missing_rules(rule.reading, instrument, 3) if rule.is_plain else ():
                yield Rule(rule.reading, rule.counting, rule.totalling, missing)


@pytest.mark.parametrize("name", LIBRARY)
def test_every_rule_of_an_instrument_can_be_said(name):
    instrument = LIBRARY[name]
    labels = {item.id for item in instrument.items} | {variant.label for variant in instrument.variants}
    rules = list(rules_of(instrument))
    told = {rule.words.words: rule.words for rule in rules if rule.words}
    assert len(told) > 5
    for said in told.values():
        assert find_unsayable(said, labels) == []


def test_rounding_and_open_verdicts_can_be_said():
    rules = [rule for rule in rules_of(LIBRARY["ces-d"]) if rule.words]
    labels = {item.id for item in LIBRARY["ces-d"].items} | {one.label for one in LIBRARY["ces-d"].variants}
    plain = next(rule for rule in rules_of(LIBRARY["ces-d"]) if rule.is_plain)
    rounded = [_Candidate(rule, decimals, np.array([])) for rule in (plain, rules[0]) for decimals in (None, 0, 1, 2)]
    for candidate in rounded:
        assert find_unsayable(candidate.words, labels) == []
    assert [each.words.split(", ")[-1] for each in rounded[:4]] == [
        "the declared rule", "rounded to a whole number", "rounded to 1 decimal", "rounded to 2 decimals",
    ]  # fmt: skip
    some = [_Candidate(rule, None, np.array([])) for rule in rules[:6]]
    for fitting, rows in (([], 4), (some[:1], 4), (some[:2], 100), (some, 100)):
        assert find_unsayable(_say_open(fitting, rows), labels) == []
    assert _say_open(some, 100).endswith("; or 3 more")
    assert _say_open(some, 100).count("; or ") == 3


def measure(answers: pd.DataFrame, timepoint: str) -> MeasureSample:
    return MeasureSample(
        measure="mood.total", timepoint=timepoint, answers=answers,
        limits=dict.fromkeys(answers.columns, (0.0, 4.0)), scores=answers.sum(axis=1, skipna=False),
        score_limits=(0.0, 4.0 * answers.shape[1]),
    )  # fmt: skip


def draw_items(people: int, against: bool = False, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    level = rng.normal(2 + shift, 1, (people, 1)) * np.where(np.arange(4) < 4 - 2 * against, 1, -1) + 2 * against
    drawn = np.random.default_rng(6 + int(10 * shift)).normal(0, 0.6, (people, 4))
    return pd.DataFrame(np.clip(np.round(level + drawn), 0, 4), columns=list("1234"))


SAMPLES = {
    "whole": [draw_items(300), draw_items(300, shift=0.3)],
    "few": [draw_items(5), draw_items(5, shift=0.3)],
    "one item": [draw_items(50)[["1"]], draw_items(50, shift=0.3)[["1"]]],
    "against": [draw_items(50, against=True)],
    "alike": [draw_items(50).assign(**{"2": 1.0}), draw_items(50)],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_how_a_measure_works_can_be_said(name):
    samples = [measure(answers, at) for answers, at in zip(SAMPLES[name], ("baseline", "post"), strict=False)]
    table = assess_sample(samples, fewest=10, with_invariance=True)
    for method, words in set(zip(table["method"], table["words"], strict=True)):
        assert find_unsayable(read_told(method, words), {"1", "2", "3", "4", "baseline"}) == []


BROKEN = {
    "single_item": lambda: estimate_alpha(draw_items(50)[["1"]]),
    "too_few_complete_rows": lambda: estimate_omega(draw_items(5), fewest=10),
    "too_few_participants": lambda: estimate_alpha(draw_items(5), fewest=10, use="available"),
    "constant_items": lambda: estimate_alpha(draw_items(50).assign(**{"2": 1.0})),
    "constant_scores": lambda: estimate_retest_agreement(draw_items(50)["1"], draw_items(50)["1"]),
    "too few scores": lambda: estimate_retest_agreement(draw_items(5)["1"], draw_items(5)["1"], fewest=10),
    "reliability_not_possible": lambda: derive_measurement_error(1.0, -0.2),
    "one_timepoint": lambda: assess_invariance([draw_items(300)]),
    "too_few_items": lambda: assess_invariance([draw_items(300)[["1", "2"]]] * 2),
    "too few at both": lambda: assess_invariance([draw_items(30)] * 2),
    "factor": lambda: fit_one_factor(summarise_answers([draw_items(100)[["1", "2"]]])),
    "different_items": lambda: summarise_answers([draw_items(30), draw_items(30)[["1"]]]),
    "answered_twice": lambda: summarise_answers([pd.concat([draw_items(30)] * 2)]),
    "no_answers": lambda: summarise_answers([draw_items(30).assign(**{"1": np.nan})]),
    "constant": lambda: summarise_answers([draw_items(30).assign(**{"1": 2.0})]),
    "dependent_items": lambda: summarise_answers([draw_items(30).assign(**{"1": draw_items(30)["2"]})]),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_why_a_measure_was_not_assessed_can_be_said(name):
    with pytest.raises(InstrumentError) as caught:
        BROKEN[name]()
    message = caught.value.problems[0].message
    assert isinstance(message, Told)
    assert find_unsayable(message, set()) == []


def test_every_level_of_sameness_can_be_said():
    assert [find_unsayable(said, set()) for said in WORDS.values()] == [[]] * 4
