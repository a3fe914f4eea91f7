"""Harms of a plan: who is counted, against whom, and how few people a number could tell of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis import Plan, StudyDesign
from analysis.design import EventKind
from analysis.evaluation import Evaluation
from analysis.harms_part import describe_harms, smallest_part
from analysis.results import Result

from .said_again import find_unsayable

EXACT = 1e-8
"""Relative; the limits of R are given with nine digits."""
EVENT = {"id": "hospital", "event": "hospital"}
ITEM = {"id": "worry", "instrument": "mood", "item": "1", "at_least": 2}
PER_ARM = 40
Evaluate = Callable[..., Evaluation]
Told = Mapping[tuple[str, str, str], Result]


@pytest.fixture
def evaluation(make_design: Callable[..., StudyDesign], make_plan: Callable[..., Plan]) -> Evaluate:
    """A function that gives an evaluation of 40 people in each arm with events and answers."""

    def make(
        harms: Sequence[Mapping[str, Any]],
        *,
        events: Sequence[tuple[str, str, str, float]] = (),
        answers: Mapping[tuple[str, str], Sequence[float]] | None = None,
        days: Mapping[str, float] | None = None,
        **design: Any,
    ) -> Evaluation:
        known = make_design(**design)
        kinds = (EventKind("hospital", "Stay in hospital"), EventKind("left", "Left"))
        people = [(f"{arm.id}{number}", arm.id) for arm in known.arms for number in range(PER_ARM)]
        told = [
            (f"{arm}{number}", timepoint, "mood", "1", value, (days or {}).get(timepoint, np.nan))
            for (arm, timepoint), values in (answers or {}).items()
            for number, value in enumerate(values)
        ]
        columns = ["participant_id", "timepoint", "instrument", "item", "value", "days_since_baseline"]
        return Evaluation(
            plan=make_plan(harms=list(harms)),
            design=replace(known, event_kinds=kinds, items={"mood": {"1": (0, 3)}}),
            library={},
            scores=pd.DataFrame(),
            participants=pd.DataFrame(people, columns=["participant_id", "arm"]),
            responses=pd.DataFrame(told, columns=columns),
            sessions=None,
            events=pd.DataFrame(events, columns=["participant_id", "event", "timepoint", "days_since_baseline"]),
            frames={},
            answers=(),
            measurement=(),
        )

    return make


def told(evaluation: Evaluation) -> Told:
    rows = list(describe_harms(evaluation))
    found = {(row.arm, row.timepoint, row.statistic): row for row in rows}
    assert len(found) == len(rows)
    assert all(row.analysis == "harms" and row.prespecified for row in rows)
    return found


def stays(number: int, arm: str = "peer", day: float = 30.0) -> list[tuple[str, str, str, float]]:
    return [(f"{arm}{person}", "hospital", "post", day) for person in range(number)]


def test_people_with_an_event_are_counted_once_against_everybody_of_their_arm(evaluation: Evaluate) -> None:
    again = [("peer0", "hospital", "post", 50.0), ("peer1", "left", "post", 20.0)]
    rows = told(evaluation([EVENT], events=[*stays(12), *again]))
    assert (rows["peer", "", "people_with_event"].value, rows["peer", "", "people_with_event"].n) == (12, PER_ARM)
    assert rows["peer", "", "events"].value == 13
    assert rows["peer", "", "is_minority"].value == 1
    share = rows["peer", "", "share_with_event"]
    # R 4.2.2: 100 * binom.test(12, 40)$conf.int
    assert (share.value, share.conf_low, share.conf_high) == pytest.approx((30, 16.5627204, 46.5316285), rel=EXACT)
    assert {row.item for row in rows.values()} == {"hospital"}


def test_an_arm_without_the_event_has_nobody_and_the_share_that_could_have_been_missed(evaluation: Evaluate) -> None:
    rows = told(evaluation([EVENT], events=stays(12)))
    nobody = rows["usual", "", "share_with_event"]
    assert (nobody.value, nobody.conf_low) == (0, 0)
    assert nobody.conf_high == pytest.approx(8.80973029, rel=EXACT)  # R 4.2.2: 100 * binom.test(0, 40)$conf.int[2]
    assert nobody.fewest == PER_ARM


@pytest.mark.parametrize(
    ("timepoint", "day", "counts"),
    [
        ("baseline", -3.0, False),
        ("baseline", 0.0, False),
        ("post", 1.0, True),
        ("", 400.0, True),
        ("baseline", np.nan, False),
        ("post", np.nan, True),
    ],
)
def test_an_event_counts_after_the_day_of_baseline(
    evaluation: Evaluate, timepoint: str, day: float, counts: bool
) -> None:
    rows = told(evaluation([EVENT], events=[("peer3", "hospital", timepoint, day)]))
    assert rows["peer", "", "people_with_event"].value == counts


def test_a_number_tells_of_the_smaller_of_those_with_and_without(evaluation: Evaluate) -> None:
    for number, fewest in ((0, 40), (3, 3), (12, 12), (35, 5), (40, 40)):
        rows = told(evaluation([EVENT], events=stays(number)))
        for statistic in ("people_with_event", "share_with_event", "events"):
            assert rows["peer", "", statistic].fewest == fewest, (number, statistic)


def test_the_number_of_events_tells_how_few_had_several(evaluation: Evaluate) -> None:
    rows = told(evaluation([EVENT], events=[*stays(15), *stays(2, day=60.0)]))
    assert rows["peer", "", "events"].fewest == 2
    assert rows["peer", "", "people_with_event"].fewest == 15


def test_the_rate_is_of_first_events_until_them_or_the_last_day_known(evaluation: Evaluate) -> None:
    answers = {(arm, "post"): [1.0] * 30 for arm in ("peer", "usual")}
    rows = told(evaluation([EVENT], events=[*stays(12), *stays(5, day=60.0)], answers=answers, days={"post": 84.0}))
    rate = rows["peer", "", "first_events_per_100_years"]
    years = (12 * 30 + 18 * 84) / 36525  # twelve until day 30, eighteen until day 84, of ten nothing is known
    # R 4.2.2: poisson.test(12)$conf.int
    assert (rate.value, rate.conf_low, rate.conf_high) == pytest.approx(
        (12 / years, 6.20057511 / years, 20.96158505 / years), rel=EXACT
    )
    assert (rate.n, rate.fewest) == (30, 12)
    assert rows["usual", "", "first_events_per_100_years"].value == 0


def test_without_the_day_of_every_event_there_is_no_rate(evaluation: Evaluate) -> None:
    answers = {("peer", "post"): [1.0] * 30}
    events = [*stays(12), ("peer20", "hospital", "post", np.nan)]
    rows = told(evaluation([EVENT], events=events, answers=answers, days={"post": 84.0}))
    assert ("peer", "", "first_events_per_100_years") not in rows
    assert ("peer", "", "first_events_per_100_years") not in told(evaluation([EVENT], events=[]))


def answered(
    never: int, new: int, stayed: int, resolved: int, incomplete: int = 0
) -> dict[tuple[str, str], list[float]]:
    """Answers of the peer arm whose border is 2; the incomplete lack the second."""
    before = [1.0] * never + [0.0] * new + [2.0] * stayed + [3.0] * resolved + [3.0] * incomplete
    later = [0.0] * never + [2.0] * new + [3.0] * stayed + [1.0] * resolved + [np.nan] * incomplete
    return {("peer", "baseline"): before, ("peer", "post"): later}


def test_alerts_are_new_stay_or_go_among_people_with_both_answers(evaluation: Evaluate) -> None:
    rows = told(evaluation([ITEM], answers=answered(13, 12, 4, 6, incomplete=3)))
    shares = {name: (row.value, row.n) for (arm, _, name), row in rows.items() if arm == "peer"}
    assert shares == {
        "new_alerts": (pytest.approx(100 * 12 / 25), 25),
        "alert_before": (pytest.approx(100 * 10 / 35), 35),
        "alert_later": (pytest.approx(100 * 16 / 35), 35),
        "resolved_alerts": (pytest.approx(60), 10),
        "is_minority": (1, 25),
        "incomplete": (pytest.approx(100 * 5 / 40), 40),
    }
    assert {row.timepoint for row in rows.values()} == {"post"}


@pytest.mark.parametrize("parts", list(product((0, 3, 10), repeat=4)))
def test_no_part_of_one_to_nine_people_follows_from_the_shares_that_are_told(
    evaluation: Evaluate, parts: tuple[int, int, int, int]
) -> None:
    if not sum(parts):
        return
    rows = told(evaluation([ITEM], answers=answered(*parts)))
    known = {name: row for (arm, _, name), row in rows.items() if arm == "peer"}
    is_told = {name: row.n >= 10 and not row.fewest < 10 for name, row in known.items()}
    equations = {
        "new_alerts": ([0, 1, 0, 0], [1, 1, 0, 0]),
        "alert_before": ([0, 0, 1, 1], [1, 1, 1, 1]),
        "alert_later": ([0, 1, 1, 0], [1, 1, 1, 1]),
        "resolved_alerts": ([0, 0, 0, 1], [0, 0, 1, 1]),
    }
    # At worst a reader knows numerator and denominator of every share that is told.
    given = [row for name in equations if is_told[name] for row in equations[name]]
    system = np.array(given or [[0, 0, 0, 0]], dtype=float)
    for place, count in enumerate(parts):
        unit = np.eye(4)[place]
        is_derivable = np.linalg.matrix_rank(np.vstack([system, unit])) == np.linalg.matrix_rank(system)
        assert not (is_derivable and 0 < count < 10), (parts, is_told)


def test_the_limit_of_nobody_tells_full_tens_of_people_only(evaluation: Evaluate) -> None:
    limits = {
        n: told(evaluation([ITEM], answers=answered(n, 0, 0, 0)))["peer", "post", "new_alerts"].conf_high
        for n in (30, 34, 39, 40)
    }
    assert limits[30] == limits[34] == limits[39] > limits[40]
    assert limits[30] == pytest.approx(11.5703308, rel=EXACT)  # R 4.2.2: 100 * binom.test(0, 30)$conf.int[2]


def test_a_later_timepoint_at_which_the_item_was_not_asked_is_left_out(evaluation: Evaluate) -> None:
    answers = answered(20, 15, 2, 3)
    rows = told(evaluation([ITEM], answers=answers, timepoints=("baseline", "post", "late")))
    assert {timepoint for _, timepoint, _ in rows} == {"post"}
    (refused,) = describe_harms(evaluation([ITEM], answers={("peer", "baseline"): [1.0] * 30}))
    assert (refused.verdict, refused.item) == ("refused:nobody_answered_twice", "worry")
    assert np.isnan(refused.value)


def test_where_nobody_is_followed_nothing_is_counted(evaluation: Evaluate) -> None:
    rows = list(describe_harms(evaluation([EVENT, ITEM], events=stays(12), kind="repeated_cross_section")))
    assert [row.verdict for row in rows] == ["refused:nobody_followed"] * 2
    assert all("follow the same people" in row.method for row in rows)


def test_neither_order_nor_ids_of_people_have_any_bearing(evaluation: Evaluate) -> None:
    first = evaluation([EVENT, ITEM], events=stays(12), answers=answered(20, 15, 2, 3), days={"post": 80.0})
    turned = replace(
        first,
        participants=first.participants.iloc[::-1],
        events=first.events.iloc[::-1],
        responses=first.responses.iloc[::-1],
    )
    assert list(map(repr, describe_harms(first))) == list(map(repr, describe_harms(turned)))


def test_a_plan_without_harms_counts_none(evaluation: Evaluate) -> None:
    assert list(describe_harms(evaluation([], events=stays(12)))) == []


def test_the_smallest_part_is_above_none() -> None:
    assert smallest_part(0, 7, 20) == 7
    assert np.isnan(smallest_part(0, 0))


def test_how_harms_were_counted_can_be_said_in_other_languages(evaluation: Evaluate) -> None:
    border = ITEM | {"at_least": 1.5}
    counted = list(describe_harms(evaluation([EVENT, ITEM], events=stays(12), answers=answered(13, 12, 4, 6))))
    counted += describe_harms(evaluation([border], answers=answered(13, 12, 4, 6)))
    counted += describe_harms(evaluation([EVENT, ITEM], kind="repeated_cross_section"))
    counted += describe_harms(evaluation([ITEM]))
    assert len({row.statistic for row in counted}) == 10
    assert [problem for row in counted for problem in find_unsayable(row.method, set())] == []
    assert any("at least 1.5" in row.method for row in counted)
