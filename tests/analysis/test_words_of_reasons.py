"""Reasons, refusals and methods of certainty, expected change, margins, sessions and formats: whole in any language."""

from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from analysis import (
    certainty,
    certainty_measurement,
    compliers,
    dose_part,
    equivalence,
    expected_change_part,
    formats_part,
    margin_part,
)
from analysis.certainty_reasons import _tell_few, _tell_open
from analysis.exposure import describe_exposure
from analysis.telling import Told, tell

from .said_again import find_unsayable

SMALLEST = {"smallest_meaningful_change": {"value": 2, "source": "declared"}}
MODULES = (
    certainty,
    certainty_measurement,
    compliers,
    dose_part,
    equivalence,
    expected_change_part,
    formats_part,
    margin_part,
)


def sentences_of(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Yield the sentences that a module holds ready, by the name of the constant."""
    for name, value in vars(module).items():
        if not name.strip("_").isupper():
            continue
        held = [*value.values()] if isinstance(value, dict) else [value]
        for part in (each for one in held for each in (one if isinstance(one, tuple) else (one,))):
            if isinstance(part, str) and (isinstance(part, Told) or part.endswith(".")):
                yield name, part


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_sentence_that_is_held_ready_can_be_said_in_another_language(module: ModuleType) -> None:
    held = list(sentences_of(module))
    assert len(held) >= 2
    assert {name: find_unsayable(sentence) for name, sentence in held if find_unsayable(sentence)} == {}


def test_every_way_of_few_people_is_a_sentence_of_its_own() -> None:
    said = [_tell_few("Post", is_sure=sure, is_alone=alone) for sure in (True, False) for alone in (True, False)]
    assert said == [
        "Fewer than 30 people were observed at Post.",
        "Fewer than 30 people in an arm were observed at Post.",
        "Fewer than 30 people may have been observed at Post.",
        "Fewer than 30 people in an arm may have been observed at Post.",
    ]
    assert [find_unsayable(sentence, {"Post"}) for sentence in said] == [[]] * 4


def test_every_way_of_an_open_answer_is_a_sentence_of_its_own(make_plan, make_design) -> None:
    outcome = {"id": "mood", "measure": "mood.total", "role": "primary"}
    alone = {"contrast": "post - baseline"}
    said = [
        _tell_open(
            "Post",
            make_plan(estimand, outcomes=[outcome | named]).outcomes[0],
            make_design(kind),
            holds_none=holds_none,
        )
        for kind, estimand in (("randomised", {}), ("single_group", alone))
        for named, holds_none in ((SMALLEST, True), ({}, True), (SMALLEST, False))
    ]
    assert said == [
        "At Post there may be no difference, or one that people notice.",
        "At Post there may be no difference, and the plan does not say how small a difference people notice.",
        "At Post the difference may be one that people notice, or a smaller one.",
        "At Post there may be no change, or one that people notice.",
        "At Post there may be no change, and the plan does not say how small a change people notice.",
        "At Post the change may be one that people notice, or a smaller one.",
    ]
    assert [find_unsayable(sentence, {"Post"}) for sentence in said] == [[]] * 6


def test_every_word_about_sessions_can_be_said(make_trial, make_design, make_sessions) -> None:
    rng = np.random.default_rng(2)
    _, participants = make_trial(rng, 30, group_size=6)
    came = rng.random((30, 8)) > 0.4
    sessions = make_sessions(participants, came, online=rng.random((30, 8)) > 0.5)
    sessions = sessions.assign(facilitator=np.resize(["ann", "bob"], len(sessions)), minutes=np.nan)
    rows = list(describe_exposure(sessions, participants, make_design()))
    assert {row.statistic for row in rows} >= {"sessions_held", "median_spacing", "people_per_session", "facilitators"}
    assert [find_unsayable(row.method, set()) for row in rows] == [[]] * len(rows)


def test_what_cannot_be_said_is_found() -> None:
    assert find_unsayable("No entry rule.")
    assert find_unsayable(tell("A sentence that stands nowhere in the code."))
    assert find_unsayable(tell(margin_part.NO_INTERVAL, at="Some words."), set())
    assert sorted(name for name, _ in sentences_of(certainty)) == ["NO_COMPARISON", *["START"] * 5]
