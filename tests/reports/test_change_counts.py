"""What a result means for people: what is said, and what nobody can derive from what is told."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analysis.meaning import estimate_share
from analysis.number_needed import derive_number_needed
from analysis.plan import Plan
from analysis.results import Result, results_table
from reports import ReportContent, gate_results, render_report
from reports.change_counts import COMPARE, NOT_COMPARED, say_meaning, say_worse
from reports.change_counts_gate import choose_cuts, steps_of, tell_changes
from reports.reading import Rows, read_rows

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
THRESHOLD = 10
FEWEST_POSSIBLE = 9
"""A reader must be left with as many possible numbers as there are counts from 1 to 9."""
SAME_SUMS = 1e-9
"""The same formula in another order."""
RULES = ("meaningful", "reliable")
WAYS = ("improved", "unchanged", "worsened")
Pieces = tuple[int, int, int, int, int]
"""People much worse, worse, the same, better, much better."""


def counts_of(pieces: Pieces, *, reliable_is_larger: bool = True) -> dict[tuple[str, str], int]:
    much_worse, worse, _, better, much_better = pieces
    small, large = RULES if reliable_is_larger else RULES[::-1]
    return {
        (small, "improved"): better + much_better,
        (small, "worsened"): worse + much_worse,
        (large, "improved"): much_better,
        (large, "worsened"): much_worse,
    }


def rows_of(arms: dict[str, Pieces], rules: tuple[str, ...] = RULES, **more: Any) -> Iterator[Result]:
    """Rows of the outcome stigma at post; arms have the pieces given."""
    at = {"analysis": "change_counts", "outcome": "stigma", "timepoint": "post"} | more
    improved = {}
    for rule in rules:
        for arm, pieces in arms.items():
            n, counts = sum(pieces), counts_of(pieces)
            better, worse = counts[rule, "improved"], counts[rule, "worsened"]
            for way, count in zip(WAYS, (better, n - better - worse, worse), strict=True):
                share = estimate_share(count, n)
                fewest = min((each for each in (count, n - count) if each), default=float("nan"))
                yield Result(**at, statistic=way, arm=arm, item=rule, value=share.value, conf_low=share.conf_low,
                             conf_high=share.conf_high, n=n, fewest=fewest, method="counted")  # fmt: skip
            improved[rule, arm] = estimate_share(better, n)
    if len(arms) > 1:
        found = derive_number_needed(improved[rules[0], "peer"], improved[rules[0], "usual"], event_is="good")
        at |= {"contrast": "peer - usual", "item": rules[0]}
        n = min(sum(pieces) for pieces in arms.values())
        yield Result(**at, statistic="difference_in_shares", value=found.difference, conf_low=found.difference_low,
                     conf_high=found.difference_high, n=n, verdict="estimated")  # fmt: skip
        if found.verdict == "estimated":
            yield Result(**at, statistic="number_needed", value=found.value, conf_low=found.conf_low,
                         conf_high=found.conf_high, n=n, verdict="estimated")  # fmt: skip
        else:
            yield Result(**at, statistic="number_needed", verdict=found.verdict, method="No single number.")
    if "reliable" in rules:
        yield Result(
            analysis="change_counts", outcome="stigma", statistic="threshold", item="reliable", value=6.543, n=400
        )


def both_scores(arm: str, n: int) -> Result:
    """The row that tells how many people have both scores."""
    return Result(analysis="change_within_arm", statistic="mean_change", outcome="stigma", arm=arm, timepoint="post",
                  value=1.0, n=n)  # fmt: skip


def with_rows(content: ReportContent, *rows: Result, **outcome: Any) -> ReportContent:
    """The content with more rows, and more keys of the outcome stigma."""
    document = content.plan.model_dump(exclude_defaults=True, mode="json")
    document["outcomes"][0] |= outcome
    results = pd.concat([content.results, results_table(rows)], ignore_index=True)
    return replace(content, plan=Plan.model_validate(document), results=results)


def gated_rows(content: ReportContent) -> Rows:
    return read_rows(gate_results(content.results, content.plan.small_numbers.profile))


def told(content: ReportContent) -> pd.DataFrame:
    gated = gate_results(content.results, "threshold-10")
    return gated[(gated["analysis"] == "change_counts") & ~gated["hidden"]]


MANY = {"peer": (20, 24, 40, 46, 60), "usual": (30, 40, 60, 40, 30)}
"""People of both arms as of content whose counts are told: 190 and 200 with both scores."""


# What is said


def test_people_are_said_as_natural_frequencies_of_both_arms(build: Build) -> None:
    content = with_rows(build(), *rows_of(MANY))
    block = say_meaning(content.plan.outcomes[0], gated_rows(content), content)
    assert block is not None
    assert block.sentences == (
        "At 12 weeks, 56 of 100 people in Peer support and 35 of 100 people in Usual care scored at least 2 points "
        "better than at Baseline.",
    )
    assert "without a programme too" in block.caution
    assert "not counted" in block.caution
    cells = {line[0]: line[1:] for line in block.tables[0].rows}
    assert cells["12 weeks: at least 2 points worse"][0].startswith("23 (")
    assert cells["12 weeks: reliably worse (by more than 6.5 points)"][1].startswith("15 (")


def test_the_number_needed_is_a_sentence_where_it_is_defined_and_only_there(build: Build) -> None:
    content = with_rows(build(), *rows_of(MANY))
    (said,) = say_meaning(content.plan.outcomes[0], gated_rows(content), content).items  # type: ignore[union-attr]
    assert "21 more of 100 people in Peer support than in Usual care scored at least 2 points better" in said
    assert "of every 5 people in Peer support rather than in Usual care, one more scored" in said
    content = with_rows(build(), *rows_of(MANY | {"usual": (30, 30, 40, 40, 60)}))
    (said,) = say_meaning(content.plan.outcomes[0], gated_rows(content), content).items  # type: ignore[union-attr]
    assert said.endswith("The difference could be none, so no number needed to treat can be given.")
    assert "of every" not in said


@pytest.mark.parametrize("kind", ["randomised", "matched_comparison", "single_group"])
def test_the_page_of_every_design_that_follows_people_passes_the_lint(build: Build, kind: str) -> None:
    content = build(kind)
    arms = {arm: pieces for arm, pieces in MANY.items() if arm == "peer" or kind != "single_group"}
    rows = [row for row in rows_of(arms) if kind == "randomised" or not row.contrast]
    sizes = [size_row(content)]
    source = "Improved by a test 2020"
    page = render_report(
        with_rows(content, *rows, *sizes, reliable_change={"retest_correlation": 0.8, "source": source})
    )
    assert "What it means for people" in page
    assert source in page
    assert ("bears on the programme" in page.split("What it means for people")[1].split("The instrument")[0]) == (
        kind == "randomised"
    )


def test_a_single_group_is_never_told_what_the_programme_did(build: Build) -> None:
    content = with_rows(build("single_group"), *rows_of({"peer": MANY["peer"]}))
    block = say_meaning(content.plan.outcomes[0], gated_rows(content), content)
    assert block is not None
    assert block.sentences == ("At 12 weeks, 56 of 100 people scored at least 2 points better than at Baseline.",)
    assert block.items == ()
    assert "do not say for how many of them it was the programme" in block.caution


def test_who_scored_worse_is_told_by_reliable_change_where_it_is_declared(build: Build) -> None:
    content = with_rows(build(), *rows_of(MANY))
    (block,) = say_worse(gated_rows(content), content)
    assert block.items == (
        "Felt stigma. At 12 weeks, 11 of 100 people in Peer support and 15 of 100 people in Usual care scored reliably "
        "worse (by more than 6.5 points) than at Baseline.",
    )
    content = with_rows(build(), *rows_of(MANY, ("meaningful",)))
    (block,) = say_worse(gated_rows(content), content)
    assert "23 of 100 people in Peer support" in block.items[0]
    assert "at least 2 points worse" in block.items[0]


def test_few_who_scored_worse_are_said_to_be_few_without_their_number(build: Build) -> None:
    content = with_rows(build(), *rows_of(MANY | {"peer": (4, 40, 40, 46, 60)}))
    (block,) = say_worse(gated_rows(content), content)
    assert "fewer than 6 of 100 people in Peer support and 15 of 100 people in Usual care" in block.items[0]
    table = say_meaning(content.plan.outcomes[0], gated_rows(content), content).tables[0]  # type: ignore[union-attr]
    assert any("fewer than 6 of 100 people" in line for line in table.rows)


def test_shares_that_are_not_told_are_said_not_to_be(build: Build) -> None:
    content = with_rows(build(), *rows_of({"peer": (20, 24, 40, 46, 60), "usual": (180, 8, 4, 8, 0)}, ("meaningful",)))
    block = say_meaning(content.plan.outcomes[0], gated_rows(content), content)
    assert block is not None
    assert "How many in Usual care is not shown" in block.sentences[0]
    assert block.items == ()


def test_arms_that_were_not_compared_are_each_described_alone(build: Build) -> None:
    shares = [row for row in rows_of(MANY) if not row.contrast]
    content = with_rows(build(verdict="refused:too_few_participants"), *shares)
    block = say_meaning(content.plan.outcomes[0], gated_rows(content), content)
    assert block is not None
    assert block.items == ()
    assert NOT_COMPARED in block.caution
    assert COMPARE not in block.caution
    (worse,) = say_worse(gated_rows(content), content)
    assert NOT_COMPARED in worse.caution


def test_shares_of_which_none_is_shown_leave_one_sentence(build: Build) -> None:
    content = with_rows(build(), *rows_of(MANY))
    hidden = tuple(replace(row, hidden=True) if row.analysis == "change_counts" else row for row in gated_rows(content))
    block = say_meaning(content.plan.outcomes[0], hidden, content)
    assert block is not None
    assert (len(block.sentences), block.tables, block.caution) == (1, (), "")
    (worse,) = say_worse(hidden, content)
    assert (len(worse.sentences), worse.items) == (1, ())


def test_nothing_is_said_where_nothing_was_counted(build: Build) -> None:
    content = build()
    assert say_meaning(content.plan.outcomes[0], gated_rows(content), content) is None
    assert say_worse(gated_rows(content), content) == ()


def size_row(content: ReportContent, value: float = -0.31, low: float = -0.5, high: float = -0.12) -> Result:
    estimand = content.plan.estimands[0]
    return Result(analysis="size", statistic="difference_in_baseline_sds", estimand=estimand.id, outcome="stigma",
                  timepoint="post", contrast=estimand.contrast, value=value, conf_low=low, conf_high=high, n=190,
                  verdict="estimated")  # fmt: skip


def test_a_size_has_its_interval_and_no_word_that_reads_as_a_verdict(build: Build) -> None:
    content = build()
    block = say_meaning(content.plan.outcomes[0], gated_rows(with_rows(content, size_row(content))), content)
    assert block is not None
    assert block.tables[0].columns == ("Comparison", "Standardised size", "95\u00a0% interval")
    assert block.tables[0].rows == (
        ("Peer support \u2212 Usual care, 12 weeks", "\u22120.31", "\u22120.50 to \u22120.12"),
    )
    assert "whether it matters to people is another question" in block.tables[0].notes[0]


LABELS = ("Peer support", "Usual care", "12 weeks", "26 weeks", "Baseline", "felt stigma", "a test 2020")


@pytest.mark.parametrize(
    ("kind", "arms", "rules"),
    [
        ("randomised", MANY, RULES),
        ("randomised", {"peer": (4, 40, 40, 46, 60), "usual": (60, 40, 30, 40, 30)}, RULES),
        ("randomised", {"peer": (30, 40, 60, 40, 30), "usual": (20, 24, 40, 46, 60)}, RULES[:1]),
        ("randomised", {"peer": (30, 40, 60, 40, 30), "usual": (30, 40, 60, 40, 30)}, RULES[1:]),
        ("randomised", {"peer": (180, 8, 4, 8, 0), "usual": (30, 40, 60, 40, 30)}, RULES),
        ("single_group", {"peer": MANY["peer"]}, RULES[1:]),
        ("single_group", {"peer": (4, 40, 40, 46, 60)}, RULES),
        ("single_group", {"peer": (180, 8, 4, 8, 0)}, RULES),
    ],
)
def test_every_word_comes_from_the_catalogue(
    build: Build, kind: str, arms: dict[str, Pieces], rules: tuple[str, ...]
) -> None:
    content = build(kind)
    rows = [row for row in rows_of(arms, rules) if row.method != "No single number."]
    sizes = [replace(size_row(content, value, -0.1, 1.2), contrast="programme - before") for value in (0.1, 0.9)]
    given = {"reliable_change": {"retest_correlation": 0.8, "source": "a test 2020"}} if "reliable" in rules else {}
    content = with_rows(content, *rows, *sizes, **given)
    gated = gated_rows(content)
    assert find_unmarked(LABELS, say_meaning, content.plan.outcomes[0], gated, content) == []
    assert find_unmarked(LABELS, say_worse, gated, content) == []


# What may be told


def test_a_size_goes_where_its_estimate_is_hidden_or_scores_have_few_values(recount: Build) -> None:
    content = recount(usual=(231, 9, 160))
    gated = gate_results(with_rows(content, size_row(content)).results, "threshold-10")
    assert gated.loc[gated["analysis"] == "size", "hidden"].all()
    content = recount()
    for row, hidden in ((size_row(content), False), (replace(size_row(content), classes=4.0), True)):
        gated = gate_results(with_rows(content, row).results, "threshold-10")
        assert gated.loc[gated["analysis"] == "size", "hidden"].all() == hidden


def test_nothing_is_told_where_the_number_of_people_is_not(build: Build) -> None:
    content = build()
    results = content.results[content.results["analysis"] != "change_within_arm"]
    content = with_rows(replace(content, results=results), *rows_of(MANY))
    assert set(told(content)["statistic"]) == {"threshold"}


@pytest.mark.parametrize("tampered", [{"n": float("nan")}, {"n": 191.0}, {"value": 1.2}, {"classes": 5.0}])
def test_shares_that_cannot_be_or_are_of_few_values_are_not_told(build: Build, tampered: dict[str, float]) -> None:
    rows = list(rows_of({"peer": MANY["peer"]}, ("meaningful",)))
    content = with_rows(build(), replace(rows[0], **tampered), *rows[1:])
    assert told(content).empty
    assert not told(with_rows(build(), *rows)).empty


def test_with_everything_shown_shares_are_as_computed(build: Build) -> None:
    content = with_rows(build(profile="none"), *rows_of(MANY))
    gated = gate_results(content.results, "none")
    pd.testing.assert_frame_equal(gated.drop(columns=["hidden", "at_least"]), content.results)


def test_told_intervals_hold_those_of_the_true_shares() -> None:
    rng, seen = np.random.default_rng(21), 0
    for _ in range(40):
        arms = {arm: tuple(int(each) for each in rng.integers(10, 60, 5)) for arm in ("peer", "usual")}
        rows = list(rows_of(arms))  # type: ignore[arg-type]
        both = [both_scores(arm, sum(pieces)) for arm, pieces in arms.items()]
        results = results_table([*rows, *both])
        gated = results.assign(hidden=False, at_least=np.nan)
        if rng.random() < 0.5:  # the number of people is withheld, and a smaller one said
            own = gated["analysis"] == "change_within_arm"
            gated.loc[own, "at_least"] = gated.loc[own, "n"] - rng.integers(0, 9)
            gated.loc[own, "n"] = np.nan
        answer = tell_changes(gated, results, THRESHOLD)
        for index, row in answer[answer["value"].notna()].iterrows():
            true = results.loc[index]
            if true["arm"]:
                low, high = proportion_confint(round(true["value"] * true["n"]), true["n"], method="wilson")
            elif true["statistic"] == "difference_in_shares":
                counts = [(counts_of(arms[arm])["meaningful", "improved"], sum(arms[arm])) for arm in ("peer", "usual")]
                low, high = confint_proportions_2indep(*counts[0], *counts[1], method="newcomb", compare="diff")
            else:
                continue
            seen += 1
            assert row["conf_low"] <= low + SAME_SUMS
            assert row["conf_high"] >= high - SAME_SUMS
            assert row["conf_low"] <= row["value"] <= row["conf_high"]
    assert seen > 250


def indicators(shown: pd.DataFrame) -> list[list[int]]:
    """Who is counted in each share that is told, as 0 or 1 for each piece, and everybody."""
    of = {("meaningful", "improved"): [0, 0, 0, 1, 1], ("meaningful", "worsened"): [1, 1, 0, 0, 0],
          ("reliable", "improved"): [0, 0, 0, 0, 1], ("reliable", "worsened"): [1, 0, 0, 0, 0],
          ("meaningful", "unchanged"): [0, 0, 1, 0, 0], ("reliable", "unchanged"): [0, 1, 1, 1, 0]}  # fmt: skip
    return [[1] * 5, *(of[row.item, row.statistic] for row in shown.itertuples())]


def test_no_sum_or_difference_of_told_shares_is_of_one_to_nine_people() -> None:
    """The attacker knows every told share exactly, and how many people there are."""
    rng, derived = np.random.default_rng(22), 0
    sets = [list(each) for size in range(1, 5) for each in combinations(range(5), size)]
    arms: dict[str, Pieces] = {}
    for place in range(40):
        drawn = rng.integers(0, rng.choice([8, 14, 25, 50, 60]), 5) + np.array([12, 0, 30, 0, 0])
        arms[f"arm{place}"] = tuple(int(each) for each in rng.permutation(drawn))  # type: ignore[assignment]
    rows = [both_scores(arm, sum(pieces)) for arm, pieces in arms.items()]
    rows += [row for arm, pieces in arms.items() for row in rows_of({arm: pieces})]
    gated = gate_results(results_table(rows), "threshold-10")
    shown = gated[~gated["hidden"] & (gated["arm"] != "") & (gated["item"] != "")]
    for arm, pieces in arms.items():
        known = np.array(indicators(shown[shown["arm"] == arm]))
        rank = np.linalg.matrix_rank(known)
        for members in sets:
            wanted = np.isin(np.arange(5), members).astype(int)
            if np.linalg.matrix_rank(np.vstack([known, wanted])) == rank:
                derived += 1
                assert not 0 < sum(pieces[member] for member in members) < THRESHOLD, (pieces, members)
    assert derived > 100


def all_pieces(n: int) -> Iterator[Pieces]:
    for a in range(n + 1):
        for b in range(n + 1 - a):
            for c in range(n + 1 - a - b):
                for d in range(n + 1 - a - b - c):
                    yield a, b, c, d, n - a - b - c - d


@pytest.mark.parametrize(
    ("people", "at_least", "reliable_is_larger"), [((22,), 22, True), ((24,), 24, False), ((20, 21, 22, 23), 20, True)]
)
def test_whoever_knows_the_rule_is_left_with_nine_possible_numbers(
    people: tuple[int, ...], at_least: int, reliable_is_larger: bool
) -> None:
    """Every world there can be is put through the rule: what is told, and what is not, leaves nine numbers open."""
    sets = [list(each) for size in range(1, 5) for each in combinations(range(5), size)]
    possible: dict[Any, list[set[int]]] = defaultdict(lambda: [set() for _ in sets])
    sizes = defaultdict(set)
    for n in people:
        for pieces in all_pieces(n):
            answer, few = choose_cuts(counts_of(pieces, reliable_is_larger=reliable_is_larger), n, at_least, THRESHOLD)
            said = (tuple(answer.items()), few)
            sizes[said].add(n)
            for numbers, members in zip(possible[said], sets, strict=True):
                numbers.add(sum(pieces[member] for member in members))
    secret = [numbers for world in possible.values() for numbers in world if any(0 < n < THRESHOLD for n in numbers)]
    assert secret
    assert min(len(numbers) for numbers in secret) >= FEWEST_POSSIBLE
    assert all(numbers == set(people) for numbers in sizes.values())  # how many people there are is not told by it


@pytest.mark.parametrize("at_least", [40, 83, 99])
def test_shares_tell_neither_few_people_nor_a_withheld_number_of_people(at_least: int) -> None:
    """Of scores with one threshold, where `at_least` people and up to eight more have both scores."""
    sizes, told_something = defaultdict(set), 0
    people = range(at_least, at_least + FEWEST_POSSIBLE)
    for n in people:
        for better in range(n + 1):
            for worse in range(n + 1 - better):
                counts = {("meaningful", "improved"): better, ("meaningful", "worsened"): worse}
                answer, few = choose_cuts(counts, n, at_least, THRESHOLD)
                sizes[tuple(answer.items()), few].add(n)
                told_something += len(answer) == 2
                cuts = sorted({0, n, *(counts[cut] if cut[1] == "worsened" else n - counts[cut] for cut in answer)})
                assert all(right - left >= THRESHOLD for left, right in pairwise(cuts))
    assert told_something
    assert all(numbers == set(people) for numbers in sizes.values())


@pytest.mark.parametrize(("people", "steps"), [(float("nan"), 0), (19, 0), (20, 20), (49, 20), (50, 50), (100, 100)])
def test_shares_are_not_finer_than_one_person(people: float, steps: int) -> None:
    assert steps_of(people) == steps


def test_nobody_may_be_told(build: Build) -> None:
    content = with_rows(build(), *rows_of({"peer": (0, 0, 90, 40, 60)}, ("meaningful",)))
    shown = told(content).set_index("statistic")
    assert shown.loc["worsened", "value"] == 0
    assert shown.loc["worsened", "conf_low"] == 0
    assert shown.loc["worsened", "conf_high"] > 0


def test_the_page_holds_no_number_of_people_who_changed_but_those_of_100(build: Build) -> None:
    content = with_rows(build(), *rows_of({"peer": (3, 24, 47, 56, 60), "usual": (30, 40, 60, 40, 30)}))
    page = render_report(content)
    block = page.split("What it means for people")[1].split("The instrument")[0]
    words = re.sub(r"<[^>]+>", " ", block)
    assert not re.findall(r"\b(116|106|27|163|187)\b", words)
    assert not re.findall(r"\b[1-9] of 100 people in", words)


def test_a_number_needed_says_no_more_than_the_difference_that_is_told(build: Build) -> None:
    shown = told(with_rows(build(), *rows_of(MANY))).set_index("statistic")
    difference, needed = shown.loc["difference_in_shares"], shown.loc["number_needed"]
    assert difference["value"] == pytest.approx(0.56 - 0.35)
    assert needed["value"] == round(1 / difference["value"])
    assert (needed["conf_low"], needed["conf_high"]) == (
        round(1 / difference["conf_high"]),
        round(1 / difference["conf_low"]),
    )
    assert pd.isna(needed["n"])
