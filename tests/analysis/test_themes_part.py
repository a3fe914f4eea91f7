"""Themes of interviews: who is counted, and how coders are held against each other."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import Plan, StudyDesign
from analysis.design import Theme
from analysis.evaluation import Evaluation
from analysis.intercoder import krippendorff_alpha, tally_judgements
from analysis.results import Result
from analysis.themes_part import describe_themes

from .said_again import find_unsayable

THEMES = (Theme("practical", "Practical help", "What they learned."), Theme("belonging", "Belonging", "Their own."))
Judgement = tuple[str, str, int, str]
Describe = Callable[..., list[Result]]


@pytest.fixture
def describe(make_design: Callable[..., StudyDesign], make_plan: Callable[..., Plan]) -> Describe:
    """A function that gives the results of judgements (participant, excerpt, coder, theme)."""

    def make(codings: Sequence[Judgement] | None, **design: Any) -> list[Result]:
        known = replace(make_design(**design), themes=THEMES)
        people = [(f"{arm.id}{number}", arm.id) for arm in known.arms for number in range(30)]
        columns = ["participant_id", "excerpt", "coder", "theme"]
        told = list(
            describe_themes(
                Evaluation(
                    plan=make_plan(),
                    design=known,
                    library={},
                    scores=pd.DataFrame(),
                    participants=pd.DataFrame(people, columns=["participant_id", "arm"]),
                    responses=pd.DataFrame(),
                    sessions=None,
                    events=pd.DataFrame(),
                    frames={},
                    answers=(),
                    measurement=(),
                    codings=None if codings is None else pd.DataFrame(codings, columns=columns),
                )
            )
        )
        assert not [problem for row in told for problem in find_unsayable(row.method)]
        return told

    return make


def find(rows: list[Result], statistic: str, item: str = "", arm: str = "") -> Result:
    (row,) = [row for row in rows if (row.statistic, row.item, row.arm) == (statistic, item, arm)]
    return row


def coded_twice(n: int = 40, seed: int = 1) -> list[Judgement]:
    """Judgements of n excerpts of ten people of the arm peer by two coders who often agree."""
    rng = np.random.default_rng(seed)
    told: list[Judgement] = []
    for number in range(n):
        who, excerpt = f"peer{number % 10}", f"x{number:02}"
        truth = {"practical": rng.random() < 0.5, "belonging": rng.random() < 0.3}
        for coder in (1, 2):
            found = [theme for theme, is_so in truth.items() if is_so != (rng.random() < 0.1)]
            told += [(who, excerpt, coder, theme) for theme in found or [""]]
    return told


def test_people_are_counted_once_however_many_excerpts_and_coders(describe: Describe) -> None:
    rows = describe(
        [
            ("peer0", "x0", 1, "belonging"),
            ("peer0", "x0", 2, "belonging"),
            ("peer0", "x1", 1, "belonging"),
            ("peer1", "x2", 2, "belonging"),
            ("peer1", "x2", 1, ""),
            ("peer2", "x3", 1, ""),
        ]
    )
    assert find(rows, "interviewed").value == 3
    spoke = find(rows, "people_with_theme", "belonging")
    assert (spoke.value, spoke.n, spoke.fewest) == (2, 3, 1)
    assert find(rows, "people_with_theme", "practical").value == 0
    assert find(rows, "people_with_theme", "practical").fewest == 3
    assert find(rows, "excerpts_read_twice").value == 2
    assert [row.item for row in rows if (row.statistic, row.arm) == ("people_with_theme", "")] == [
        "practical",
        "belonging",
    ]


def test_arms_are_told_apart_where_there_are_several_whoever_was_interviewed(describe: Describe) -> None:
    of_one = [("peer0", "x0", 1, "belonging"), ("peer1", "x1", 1, "")]
    assert find(describe(of_one), "interviewed", arm="usual").value == 0
    of_both = describe([*of_one, ("usual0", "x2", 1, "")])
    assert find(of_both, "people_with_theme", "belonging", "peer").value == 1
    assert find(of_both, "interviewed", arm="usual").value == 1
    assert not any(row.arm for row in describe(of_one, kind="single_group"))


def test_agreement_is_that_of_presence_and_absence_in_excerpts_read_twice(describe: Describe) -> None:
    told = coded_twice()
    rows = describe([*told, ("peer0", "alone", 1, "belonging")])
    assert find(rows, "excerpts_read_twice").value == 40
    assert find(rows, "excerpts_read_twice").n == 10
    pooled = []
    for theme in ("practical", "belonging"):
        excerpts = sorted({excerpt for _, excerpt, _, _ in told})
        found = [sum(row[1] == excerpt and row[3] == theme for row in told) for excerpt in excerpts]
        counts = np.array([[n, 2 - n] for n in found], dtype="float64")
        pooled.append(counts)
        row = find(rows, "agreement", theme)
        assert row.value == pytest.approx(krippendorff_alpha(tally_judgements(counts)))
        assert row.conf_low < row.value < row.conf_high
        assert (row.verdict, row.n) == ("estimated", 10)
    overall = find(rows, "agreement")
    assert overall.value == pytest.approx(krippendorff_alpha(tally_judgements(np.concatenate(pooled))))
    assert overall.conf_low < overall.value < overall.conf_high


def test_the_order_of_rows_and_the_numbers_of_coders_have_no_bearing(describe: Describe) -> None:
    told = coded_twice()
    turned = [(who, excerpt, 3 - coder, theme) for who, excerpt, coder, theme in reversed(told)]
    first, second = describe(told), describe(turned)
    assert [(row.statistic, row.item, row.value) for row in first] == [
        (row.statistic, row.item, row.value) for row in second
    ]
    assert [row.conf_low for row in first if row.verdict == "estimated"] == [
        row.conf_low for row in second if row.verdict == "estimated"
    ]


@pytest.mark.parametrize(
    ("told", "verdict", "words"),
    [
        ([("peer0", "x0", 1, "belonging"), ("peer1", "x1", 1, "")], "refused:one_coder", "One person alone coded"),
        ([("peer0", "x0", 1, ""), ("peer1", "x1", 2, "")], "refused:nothing_read_twice", "No excerpt was read by two"),
        (coded_twice(9), "refused:few_read_twice", "Fewer than 10 excerpts"),
    ],
)
def test_what_is_not_known_of_agreement_is_told_once_in_words(
    describe: Describe, told: list[Judgement], verdict: str, words: str
) -> None:
    (row,) = [row for row in describe(told) if row.statistic == "agreement"]
    assert (row.item, row.verdict) == ("", verdict)
    assert words in row.method


def test_a_theme_that_nobody_spoke_of_has_no_agreement_and_the_others_have(describe: Describe) -> None:
    rows = describe([row for row in coded_twice() if row[3] != "belonging"])
    assert find(rows, "agreement", "belonging").verdict == "refused:all_the_same"
    assert find(rows, "agreement", "practical").verdict == "estimated"


def test_without_interviews_nothing_is_told(describe: Describe) -> None:
    assert describe(None) == describe([]) == []
