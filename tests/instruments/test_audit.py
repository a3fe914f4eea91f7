"""The audit of delivered totals: the rule that made them is named, and nothing is named where nothing can be told."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from instruments import Instrument, InstrumentError, apply_variants, load_library
from instruments.audit import ScoreAudit, audit_responses, audit_scores, find_turned_items
from instruments.audit.results import CANNOT_BE_TOLD, UNEXPLAINED
from instruments.scoring import count_answers, score_matrix

ROWS = 200
SEEDS = 4
NOISE = 0.05  # share of totals that are random
MISSING = 0.3  # share of rows with missing answers
CES_D = [f"F1{letter}" for letter in "ABCDEFGHIJKLMNOPQRST"]
HELP_COMPLETE, HELP_INCOMPLETE = 1439, 24
LIBRARY = load_library()
SCORED = {name: one for name, one in LIBRARY.items() if one.scored_measures}
VARIANTS = [(name, variant.id) for name, one in SCORED.items() for variant in one.variants]


def simulate(instrument: Instrument, seed: int, n: int = ROWS) -> np.ndarray:
    """Answers of people who stand higher or lower on all measures alike."""
    rng = np.random.default_rng(seed)
    level = rng.normal(size=n)
    answers = np.empty((n, len(instrument.items)))
    for place, item in enumerate(instrument.items):
        share = norm.cdf((level + rng.normal(0, 0.8, n)) / np.hypot(1, 0.8))
        allowed = instrument.allowed_values(item.id)
        codes = np.array(allowed.options or np.arange(allowed.minimum, allowed.maximum + 1), dtype="float64")
        ascending = codes[np.argsort(allowed.score(codes, reverse=item.reverse), kind="stable")]
        answers[:, place] = ascending[np.minimum((share * len(codes)).astype(int), len(codes) - 1)]
    return answers


def with_gaps(answers: np.ndarray, seed: int) -> np.ndarray:
    """The same answers, with one to three missing in some rows."""
    rng = np.random.default_rng(seed)
    gaps, n_items = answers.copy(), answers.shape[1]
    for row in np.flatnonzero(rng.random(len(answers)) < MISSING):
        gaps[row, rng.choice(n_items, min(n_items, int(rng.integers(1, 4))), replace=False)] = np.nan
    return gaps


def scores_of(answers: np.ndarray, instrument: Instrument) -> dict[str, np.ndarray]:
    return {f"{instrument.id}.{name}": one.score for name, one in score_matrix(answers, instrument).items()}


def places_of(instrument: Instrument, measure: str) -> list[int]:
    own = [item.id for item in instrument.items_of(measure_of(instrument, measure))]
    return [place for place, item in enumerate(instrument.items) if item.id in own]


def measure_of(instrument: Instrument, measure: str):
    return next(one for one in instrument.measures if f"{instrument.id}.{one.id}" == measure)


def total_of(counted: np.ndarray, instrument: Instrument, measure: str) -> np.ndarray:
    """Totals of complete answers, from what each counts, by the definition of the measure."""
    definition, own = measure_of(instrument, measure), counted[:, places_of(instrument, measure)]
    if definition.lookup:
        table = {step.raw: step.score for step in definition.lookup}
        return np.array([table[round(raw)] for raw in own.sum(axis=1)])
    plain = own.mean(axis=1) if definition.method == "mean" else own.sum(axis=1)
    return plain * definition.multiply + definition.add


def turn(counted: np.ndarray, instrument: Instrument, items: Sequence[str]) -> np.ndarray:
    """What answers count if some items are reversed once more."""
    turned = counted.copy()
    for place, item in enumerate(instrument.items):
        if item.id in items:
            allowed = instrument.allowed_values(item.id)
            turned[:, place] = allowed.lowest_score + allowed.highest_score - turned[:, place]
    return turned


def turn_codes(answers: np.ndarray, instrument: Instrument, items: Sequence[str]) -> np.ndarray | None:
    """Answers to some items as they arrive when reversed before; None where scores do not mirror as codes do."""
    turned = answers.copy()
    for place, item in enumerate(instrument.items):
        if item.id in items:
            allowed = instrument.allowed_values(item.id)
            turned[:, place] = allowed.minimum + allowed.maximum - turned[:, place]
            if not allowed.allows(turned[:, place]).all():
                return None
    counted = turn(count_answers(answers, instrument), instrument, items)
    return turned if np.array_equal(count_answers(turned, instrument), counted) else None


def deviating_items(instrument: Instrument, measure: str) -> list[tuple[str, str]]:
    """The first and last reversed item and the first that is not, with the name of the rule that turns it."""
    items = instrument.items_of(measure_of(instrument, measure))
    turned, plain = [item.id for item in items if item.reverse], [item.id for item in items if not item.reverse][:1]
    return [
        *[(item, f"not_reversed:{item}") for item in dict.fromkeys([*turned[:1], *turned[-1:]])],
        *[(item, f"reversed_by_mistake:{item}") for item in plain],
    ]


def equal_forms(instrument: Instrument, answers: np.ndarray, measure: str, totals: np.ndarray) -> set[str]:
    """Declared variants that give the same totals, so that they are as good a name."""
    found = set()
    for variant in instrument.variants:
        if variant.kind == "missing_rule":
            continue
        form = apply_variants(instrument, [variant.id])
        for name, delivered in ((f"variant:{variant.id}", answers), (f"variant:{variant.id}(recoded)", answers + 1)):
            allowed = [form.allowed_values(item.id) for item in form.items]
            if all(one.allows(delivered[:, place]).all() for place, one in enumerate(allowed)):
                found |= {name} if np.allclose(scores_of(delivered, form)[measure], totals) else set()
    return found


def first(audit: ScoreAudit, measure: str, part: str = "complete", timepoint: str = "all"):
    """The first finding on a part of the rows."""
    return next(
        one for one in audit.findings if (one.measure, one.part, one.timepoint) == (measure, part, timepoint)
    )  # fmt: skip


@pytest.fixture(scope="module")
def help_waves(shared: Path) -> pd.DataFrame:
    """The HELP trial as delivered."""
    return pd.read_csv(shared / "data" / "help_trial" / "help_waves.csv")


@pytest.mark.real_data
def test_the_help_trial_follows_the_declared_rule_but_counted_missing_answers_as_zero(help_waves):
    timepoints = help_waves["TIME"].astype("str")
    audit = audit_scores(
        help_waves[CES_D], {"ces-d.total": help_waves["CES_D"]}, LIBRARY["ces-d"], columns=CES_D, timepoints=timepoints
    )
    complete, incomplete = (first(audit, "ces-d.total", part) for part in ("complete", "incomplete"))
    assert (complete.rule, complete.rows, complete.explained) == ("declared", HELP_COMPLETE, HELP_COMPLETE)
    assert incomplete.rule.startswith("missing_as_zero")
    assert (incomplete.rows, incomplete.explained) == (HELP_INCOMPLETE, HELP_INCOMPLETE)
    assert not (audit.tidy()["unexplained"]).any()
    assert "1,439 of 1,439 complete rows follow the declared rule." in audit.words()
    assert "24 of 24 incomplete rows: a missing answer was counted as zero" in audit.words()
    assert (audit.items["verdict"] == "agrees").all()


@pytest.mark.real_data
def test_a_reversal_left_out_of_the_help_trial_would_be_named_and_so_would_an_item_delivered_turned(help_waves):
    ces_d, waves = LIBRARY["ces-d"], help_waves.dropna(subset=CES_D)
    answers = waves[CES_D].to_numpy(dtype="float64")
    wrong = total_of(turn(count_answers(answers, ces_d), ces_d, ["8"]), ces_d, "ces-d.total")
    finding = first(audit_scores(answers, {"ces-d.total": wrong}, ces_d), "ces-d.total")
    assert (finding.rule, finding.explained, finding.answers_say) == ("not_reversed:8", HELP_COMPLETE, "as_declared")
    audit = audit_scores(turn_codes(answers, ces_d, ["8"]), {"ces-d.total": waves["CES_D"]}, ces_d)
    finding = first(audit, "ces-d.total")
    assert (finding.rule, finding.explained, finding.answers_say) == ("not_reversed:8", HELP_COMPLETE, "turned")
    assert audit.items.loc[audit.items["verdict"] == "turned", "item"].tolist() == ["8"]


@pytest.mark.parametrize("name", SCORED)
def test_a_clean_delivery_follows_the_declared_rule_and_raises_no_flag(name):
    instrument = SCORED[name]
    for seed in range(SEEDS):
        answers = with_gaps(simulate(instrument, seed), seed)
        audit = audit_scores(answers, scores_of(answers, instrument), instrument)
        assert audit.is_clean, audit.words()
        assert set(audit.tidy()["rule"]) == {"declared"}
        assert set(audit.labels) == {f"{name}.{measure.id}" for measure in instrument.scored_measures}
        assert "for the owner of the data to decide" not in audit.words()


@pytest.mark.parametrize("name", SCORED)
def test_an_item_that_the_totals_count_the_wrong_way_round_is_named(name):
    instrument, answers = SCORED[name], simulate(SCORED[name], 11)
    counted = count_answers(answers, instrument)
    for measure in scores_of(answers, instrument):
        for item, expected in deviating_items(instrument, measure):
            totals = total_of(turn(counted, instrument, [item]), instrument, measure)
            finding = first(audit_scores(answers, {measure: totals}, instrument), measure)
            assert finding.rule in {expected, *equal_forms(instrument, answers, measure, totals)}
            assert (finding.explained, finding.is_declared_rule) == (ROWS, False)
            if finding.rule == expected and len(places_of(instrument, measure)) > 2:
                assert finding.answers_say == "as_declared"


@pytest.mark.parametrize("name", SCORED)
def test_an_item_that_was_delivered_already_turned_is_named_and_goes_against_the_others(name):
    instrument, answers = SCORED[name], simulate(SCORED[name], 12)
    scores = scores_of(answers, instrument)
    for measure, totals in scores.items():
        n_items = len(places_of(instrument, measure))
        for item, expected in deviating_items(instrument, measure):
            delivered = turn_codes(answers, instrument, [item])
            if delivered is None or n_items == 1:
                continue
            audit = audit_scores(delivered, {measure: totals}, instrument)
            finding = first(audit, measure)
            assert finding.rule in {expected, *equal_forms(instrument, delivered, measure, totals)}
            assert finding.explained == ROWS
            flagged = audit.items[audit.items["verdict"].isin(["turned", "cannot_be_told"])]
            if n_items > 2:
                assert flagged[["item", "verdict"]].to_numpy().tolist() == [[item, "turned"]]
                assert flagged["conf_high"].item() < 0
                assert finding.answers_say == ("turned" if finding.rule == expected else "")
            else:
                assert flagged["verdict"].tolist() == ["cannot_be_told"] * 2


@pytest.mark.parametrize("name", SCORED)
def test_a_mean_delivered_for_a_sum_or_a_sum_for_a_mean_is_named(name):
    instrument, answers = SCORED[name], simulate(SCORED[name], 13)
    for measure in scores_of(answers, instrument):
        own = count_answers(answers, instrument)[:, places_of(instrument, measure)]
        is_mean = measure_of(instrument, measure).method == "mean"
        totals = own.sum(axis=1) if is_mean else own.mean(axis=1)
        finding = first(audit_scores(answers, {measure: totals}, instrument), measure)
        if own.shape[1] == 1:
            continue
        expected = {"sum" if is_mean else "mean", *equal_forms(instrument, answers, measure, totals)}
        assert finding.rule in expected
        assert finding.explained == ROWS


@pytest.mark.parametrize("name", SCORED)
def test_totals_of_codes_that_lie_one_higher_are_named(name):
    instrument, answers = SCORED[name], simulate(SCORED[name], 14)
    for measure in scores_of(answers, instrument):
        definition, n_items = measure_of(instrument, measure), len(places_of(instrument, measure))
        if definition.lookup:
            continue
        higher = (n_items if definition.method == "sum" else 1) * definition.multiply
        totals = total_of(count_answers(answers, instrument), instrument, measure) + higher
        finding = first(audit_scores(answers, {measure: totals}, instrument), measure)
        simpler = equal_forms(instrument, answers, measure, totals) | (
            {"not_added"} if definition.add == -higher else set()
        )
        assert finding.rule in {"shift:+1", *simpler}
        assert (finding.explained, finding.same_as_declared) == (ROWS, 0)


@pytest.mark.parametrize("name", SCORED)
def test_random_totals_among_them_neither_hide_the_rule_nor_get_a_rule_of_their_own(name):
    instrument, answers = SCORED[name], simulate(SCORED[name], 15)
    for measure, scores in scores_of(answers, instrument).items():
        rng = np.random.default_rng(16)
        low, high = (round(end) for end in measure_of(instrument, measure).range)
        totals = np.where(rng.random(ROWS) < NOISE, rng.integers(low, high + 1, ROWS), scores)
        different = int((np.abs(totals - scores) > 1e-9).sum())
        audit = audit_scores(answers, {measure: totals}, instrument)
        finding = first(audit, measure)
        assert (finding.rule, finding.unexplained) == ("declared", different)
        for item, expected in deviating_items(instrument, measure)[:1]:
            wrong = total_of(turn(count_answers(answers, instrument), instrument, [item]), instrument, measure)
            noisy = np.where(totals == scores, wrong, totals)
            named = first(audit_scores(answers, {measure: noisy}, instrument), measure)
            assert named.rule in {expected, *equal_forms(instrument, answers, measure, wrong)}
            assert named.unexplained == (np.abs(noisy - wrong) > 1e-9).sum()
        if len(np.unique(scores)) > 10:  # on a short range chance alone fits many rules
            assert [one.rule for one in audit.findings] == ["declared"]


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_totals_of_a_variant_are_named_unless_they_are_those_of_the_declared_rule(name, variant):
    instrument = SCORED[name]
    declared = next(one for one in instrument.variants if one.id == variant)
    kind = declared.kind
    form = apply_variants(instrument, [variant])
    answers = simulate(form, 17)
    answers = with_gaps(answers, 18) if kind == "missing_rule" else answers
    part = "incomplete" if kind == "missing_rule" else "complete"
    allowed = [instrument.allowed_values(item.id) for item in instrument.items]
    fits = all(one.allows(answers[:, place])[~np.isnan(answers[:, place])].all() for place, one in enumerate(allowed))
    audit = audit_scores(answers, scores_of(answers, form), instrument)
    for measure, totals in scores_of(answers, form).items():
        if kind == "missing_rule" and measure_of(instrument, measure).id not in declared.measures:
            continue
        finding = first(audit, measure, part)
        assert finding.explained == finding.rows > 0
        if fits and np.allclose(scores_of(answers, instrument)[measure], totals, equal_nan=True):
            assert finding.rule == "declared"
        else:
            assert f"variant:{variant}" in finding.rule


def test_missing_answers_counted_as_zero_as_the_lowest_or_as_the_mean_of_the_others_are_told_apart():
    for instrument, rules in (
        (LIBRARY["pss-10"], {"missing_as_zero": 0, "missing_as_lowest_before_reversal": "code", "prorated": "mean"}),
        (LIBRARY["gse-10"], {"missing_as_zero": 0, "missing_as_lowest": 1}),
    ):
        complete = simulate(instrument, 21)
        answers = with_gaps(complete, 22)
        measure, gaps = f"{instrument.id}.total", np.isnan(answers)
        for rule, stands in rules.items():
            lowest = np.array([instrument.allowed_values(item.id).minimum for item in instrument.items])
            filled = np.where(gaps, lowest, answers)
            counted = np.where(gaps, np.nan, count_answers(np.where(gaps, complete, answers), instrument))
            totals = (
                np.nanmean(counted, axis=1) * counted.shape[1] if stands == "mean"
                else count_answers(filled, instrument).sum(axis=1) if stands == "code"
                else np.where(gaps, stands, counted).sum(axis=1)
            )  # fmt: skip
            audit = audit_scores(answers, {measure: totals}, instrument)
            finding = first(audit, measure, "incomplete")
            assert finding.rule.split(":")[0] == rule
            assert finding.explained == finding.rows == gaps.any(axis=1).sum()
            assert first(audit, measure).rule == "declared"
            rounded = first(audit_scores(answers, {measure: np.round(totals)}, instrument), measure, "incomplete")
            expected = "+rounded:0" if rule == "prorated" else ""
            assert rounded.rule.startswith(rule)
            assert rounded.rule.endswith(expected)


def test_a_rule_about_missing_answers_is_looked_for_on_the_form_that_complete_rows_obey():
    instrument = LIBRARY["ces-d"]
    answers = with_gaps(simulate(instrument, 23), 24)
    unreversed = np.where(np.isnan(answers), 0, answers)  # nothing reversed, nothing for a missing answer
    audit = audit_scores(answers, {"ces-d.total": unreversed.sum(axis=1)}, instrument)
    assert first(audit, "ces-d.total").rule == "not_reversed:4,8,12,16"
    finding = first(audit, "ces-d.total", "incomplete")
    assert finding.rule.startswith("not_reversed:4,8,12,16+missing_as_zero")
    assert finding.unexplained == 0


@pytest.mark.parametrize(
    ("name", "measure", "rule", "totals"),
    [
        ("who-5", "total", "variant:raw-sum", lambda counted: counted.sum(axis=1)),
        ("paid-20", "total", "sum", lambda counted: counted.sum(axis=1)),
        ("mos-sss-19", "overall", "not_multiplied", lambda counted: counted.mean(axis=1) - 25),
        ("mos-sss-19", "overall", "not_added", lambda counted: counted.mean(axis=1) * 25),
        ("swemwbs", "total", "sum", lambda counted: counted.sum(axis=1)),
        ("ces-d", "total", "percent_of_range", lambda counted: counted.sum(axis=1) / 60 * 100),
        ("ces-d", "total", "left_out:20", lambda counted: counted[:, :-1].sum(axis=1)),
        ("ces-d", "total", "all_turned", lambda counted: 60 - counted.sum(axis=1)),
        ("ces-d", "total", "not_reversed:4,12", lambda counted: _unreverse(counted, (3, 11))),
        ("ces-d", "total", "not_reversed:4+mean", lambda counted: _unreverse(counted, (3,)) / 20),
        ("brs-6", "total", "declared+rounded:2", lambda counted: counted.mean(axis=1).round(2)),
        ("brs-6", "total", "declared+rounded:1", lambda counted: counted.mean(axis=1).round(1)),
        ("brs-6", "total", "declared+rounded:0", lambda counted: counted.mean(axis=1).round()),
        ("brs-6", "total", "declared", lambda counted: counted.mean(axis=1).astype("float32")),
    ],
)  # fmt: skip
def test_a_single_deviation_is_named(name, measure, rule, totals):
    instrument, answers = LIBRARY[name], simulate(LIBRARY[name], 25)
    own = count_answers(answers, instrument)[:, places_of(instrument, f"{name}.{measure}")]
    finding = first(audit_scores(answers, {f"{name}.{measure}": totals(own)}, instrument), f"{name}.{measure}")
    assert (finding.rule, finding.explained) == (rule, ROWS)
    assert finding.is_declared_rule == rule.startswith("declared")


def _unreverse(counted: np.ndarray, places: Sequence[int]) -> np.ndarray:
    return counted.sum(axis=1) + sum(3 - 2 * counted[:, place] for place in places)


def test_raw_codes_summed_where_choices_have_scores_of_their_own_are_named():
    instrument = LIBRARY["djg-6"]
    answers = simulate(instrument, 26)
    for measure in scores_of(answers, instrument):
        finding = first(audit_scores(answers, {measure: answers[:, places_of(instrument, measure)].sum(axis=1)},
                                     instrument), measure)  # fmt: skip
        assert (finding.rule, finding.explained) == ("raw_codes", ROWS)


def test_answers_in_codes_that_lie_one_higher_are_read_as_such_whatever_the_totals_are_in():
    instrument = LIBRARY["mini-spin"]
    answers = simulate(instrument, 27)
    scores = scores_of(answers, instrument)["mini-spin.total"]
    moved = audit_scores(answers + 1, {"mini-spin.total": scores}, instrument)
    assert first(moved, "mini-spin.total").rule == "codes_shifted:+1"
    moved = audit_scores(answers + 1, {"mini-spin.total": scores + 3}, instrument)
    assert first(moved, "mini-spin.total").rule == "codes_shifted:+1+shift:+1"
    assert not first(moved, "mini-spin.total").is_declared_rule


def test_another_rule_at_one_timepoint_is_told_for_that_timepoint():
    instrument, answers = LIBRARY["ces-d"], simulate(LIBRARY["ces-d"], 31)
    timepoints = np.repeat(["baseline", "post"], [150, 50])
    wrong = total_of(turn(count_answers(answers, instrument), instrument, ["4"]), instrument, "ces-d.total")
    totals = np.where(timepoints == "post", wrong, scores_of(answers, instrument)["ces-d.total"])
    audit = audit_scores(answers, {"ces-d.total": totals}, instrument, timepoints=list(timepoints))
    told = audit.tidy().set_index(["timepoint", "rule"])[["rows", "explained", "unexplained"]]
    assert told.loc[("baseline", "declared")].tolist() == [150, 150, 0]
    assert told.loc[("post", "not_reversed:4")].tolist() == [50, 50, 0]
    assert told.loc[("all", "declared")].tolist() == [200, 150, 50]
    assert told.loc[("all", "not_reversed:4")].tolist() == [50, 50, 0]
    assert "150 of 150 complete rows at baseline follow the declared rule." in audit.words()
    assert "50 of 50 complete rows at post: item 4 was counted without being reversed." in audit.words()


def test_the_declared_rule_stands_where_another_that_is_found_elsewhere_fits_as_well():
    instrument, answers = LIBRARY["brs-6"], simulate(LIBRARY["brs-6"], 30)
    timepoints = np.repeat(["baseline", "post"], [150, 50])
    answers[timepoints == "post", 1] = 3  # reversed, it counts the same
    wrong = total_of(turn(count_answers(answers, instrument), instrument, ["2"]), instrument, "brs-6.total")
    audit = audit_scores(answers, {"brs-6.total": wrong}, instrument, timepoints=list(timepoints))
    rules = {
        timepoint: first(audit, "brs-6.total", timepoint=timepoint).rule for timepoint in ("all", "baseline", "post")
    }
    assert rules == {"all": "not_reversed:2", "baseline": "not_reversed:2", "post": "declared"}


def test_random_totals_among_rounded_ones_are_not_taken_for_another_rounding():
    instrument, answers = LIBRARY["brs-6"], simulate(LIBRARY["brs-6"], 29, 1000)
    totals = scores_of(answers, instrument)["brs-6.total"].round(2)
    totals[:200] = np.random.default_rng(29).integers(1, 6, 200)
    audit = audit_scores(answers, {"brs-6.total": totals}, instrument)
    assert [one.rule for one in audit.findings] == ["declared+rounded:2"]
    assert audit.findings[0].unexplained > 100


def test_two_rules_side_by_side_are_both_named_and_random_totals_are_left():
    instrument, answers = LIBRARY["pss-10"], simulate(LIBRARY["pss-10"], 32, 400)
    counted = count_answers(answers, instrument)
    wrong = total_of(turn(counted, instrument, ["4", "5", "7", "8"]), instrument, "pss-10.total")
    totals = np.where(np.arange(400) % 3 == 0, wrong, counted.sum(axis=1))
    totals[:10] = 40.0
    audit = audit_scores(answers, {"pss-10.total": totals}, instrument)
    assert [one.rule for one in audit.findings] == ["declared", "not_reversed:4,5,7,8"]
    assert audit.findings[1].rows == audit.findings[0].unexplained
    assert 0 < audit.findings[1].unexplained <= 10


def test_totals_that_follow_nothing_get_no_rule():
    instrument, answers = LIBRARY["ces-d"], simulate(LIBRARY["ces-d"], 33)
    random = np.random.default_rng(34).integers(100, 200, ROWS).astype("float64")
    audit = audit_scores(answers, {"ces-d.total": random}, instrument)
    assert [(one.rule, one.explained) for one in audit.findings] == [(UNEXPLAINED, 0)]
    assert "For 200 complete rows no common rule was found." in audit.words()
    shuffled = np.random.default_rng(35).permutation(scores_of(answers, instrument)["ces-d.total"])
    finding = first(audit_scores(answers, {"ces-d.total": shuffled}, instrument), "ces-d.total")
    assert finding.rule == "declared"
    assert finding.explained < ROWS / 4


def test_a_few_rows_do_not_name_another_rule():
    instrument, answers = LIBRARY["ces-d"], simulate(LIBRARY["ces-d"], 36, 4)
    audit = audit_scores(answers, {"ces-d.total": answers.sum(axis=1)}, instrument)
    finding = first(audit, "ces-d.total")
    assert finding.rule == CANNOT_BE_TOLD
    assert finding.could_be[0] == "items 4, 8, 12 and 16 were counted without being reversed"
    assert "too few rows to name a rule" in audit.words()
    assert "on average" not in audit.words()


def test_items_answered_alike_by_everybody_cannot_be_told_apart_and_none_is_guessed():
    instrument, answers = LIBRARY["ces-d"], simulate(LIBRARY["ces-d"], 37)
    answers[:, 7] = answers[:, 3]  # items 4 and 8
    wrong = total_of(turn(count_answers(answers, instrument), instrument, ["4"]), instrument, "ces-d.total")
    audit = audit_scores(answers, {"ces-d.total": wrong}, instrument)
    finding = first(audit, "ces-d.total")
    assert (finding.rule, finding.explained, finding.is_declared_rule) == (CANNOT_BE_TOLD, ROWS, False)
    assert finding.could_be == (
        "item 4 was counted without being reversed", "item 8 was counted without being reversed",
    )  # fmt: skip
    assert "several rules fit alike" in audit.words()


def test_rows_on_which_a_reversal_makes_no_difference_are_counted():
    instrument, answers = LIBRARY["brs-6"], simulate(LIBRARY["brs-6"], 38)
    wrong = total_of(turn(count_answers(answers, instrument), instrument, ["2"]), instrument, "brs-6.total")
    finding = first(audit_scores(answers, {"brs-6.total": wrong}, instrument), "brs-6.total")
    assert finding.rule == "not_reversed:2"
    assert finding.same_as_declared == (answers[:, 1] == 3).sum() > 0


def test_a_form_that_the_delivered_codes_cannot_tell_is_mentioned_and_not_chosen():
    instrument, answers = LIBRARY["jacoby-3"], simulate(LIBRARY["jacoby-3"], 39)
    audit = audit_scores(answers, scores_of(answers, instrument), instrument)
    finding = first(audit, "jacoby-3.total")
    assert finding.rule == "declared"
    assert any("Revised form" in words for words in finding.could_be)
    assert "which these totals cannot tell from: " in audit.words()


def test_where_half_of_the_items_arrive_turned_the_sides_are_told_but_not_which_of_them_it_is():
    instrument, answers = LIBRARY["pss-4"], simulate(LIBRARY["pss-4"], 40)
    reversed_items = [item.id for item in instrument.items if item.reverse]
    delivered = turn_codes(answers, instrument, reversed_items)
    table = find_turned_items(delivered, instrument)
    assert set(table["verdict"]) == {"cannot_be_told"}
    assert set(table.loc[table["side"] == table["side"].iloc[1], "item"]) == set(reversed_items)
    audit = audit_scores(delivered, scores_of(answers, instrument), instrument)
    assert first(audit, "pss-4.total").rule == "not_reversed:2,3"
    assert "cannot tell which of them arrived turned" in audit.words()


def test_item_rest_correlations_and_their_interval_agree_with_a_calculation_item_by_item():
    instrument, answers = LIBRARY["gad-7"], simulate(LIBRARY["gad-7"], 41)
    table = find_turned_items(answers, instrument)
    for place, row in enumerate(table.itertuples()):
        rest = np.delete(answers, place, axis=1).sum(axis=1)
        expected = np.corrcoef(answers[:, place], rest)[0, 1]
        assert row.correlation == pytest.approx(expected, abs=1e-12)
        reach = norm.isf(0.025 / 7) / np.sqrt(ROWS - 3)
        assert (row.conf_low, row.conf_high) == pytest.approx(
            tuple(np.tanh(np.arctanh(expected) + np.array([-reach, reach])))
        )
        assert (row.n, row.verdict) == (ROWS, "agrees")


def test_an_item_turned_in_one_delivery_only_is_found_at_that_timepoint():
    instrument, answers = LIBRARY["ces-d"], simulate(LIBRARY["ces-d"], 42, 600)
    timepoints = np.repeat(["baseline", "post", "followup"], 200)
    turned = turn_codes(answers, instrument, ["8"])
    delivered = np.where((timepoints == "post")[:, None], turned, answers)
    table = find_turned_items(delivered, instrument, timepoints=list(timepoints))
    assert table.loc[table["verdict"] == "turned", ["timepoint", "item"]].to_numpy().tolist() == [["post", "8"]]


def test_items_without_enough_rows_or_without_differences_get_no_verdict():
    instrument, answers = LIBRARY["gad-7"], simulate(LIBRARY["gad-7"], 43)
    answers[:, 2] = 1
    table = find_turned_items(answers, instrument).set_index("item")
    assert table.loc["3", "verdict"] == "constant"
    assert np.isnan(table.loc["3", "correlation"])
    assert set(table["verdict"]) == {"constant", "agrees"}
    assert set(find_turned_items(answers[:9], instrument)["verdict"]) == {"too_few_rows"}
    assert set(find_turned_items(np.ones((50, 7)), instrument)["verdict"]) == {"constant"}
    assert find_turned_items(answers[:0], instrument)["n"].tolist() == [0] * 7


def test_gaps_between_delivered_totals_and_ours_are_counted_and_said():
    instrument, answers = LIBRARY["phq-9"], simulate(LIBRARY["phq-9"], 44)
    totals = scores_of(answers, instrument)["phq-9.total"].copy()
    answers[:4] = np.nan  # delivered without items
    answers[4:7, 0] = np.nan  # delivered where the rule gives none
    totals[10:12] = np.nan
    audit = audit_scores(answers, {"phq-9.total": totals}, instrument)
    assert dataclasses.asdict(audit.gaps[0]) == {
        "measure": "phq-9.total", "timepoint": "all", "delivered": 198, "delivered_without_answers": 4,
        "delivered_where_we_give_none": 3, "not_delivered_where_we_give_one": 2,
    }  # fmt: skip
    assert (first(audit, "phq-9.total").rows, first(audit, "phq-9.total", "incomplete").rows) == (191, 3)
    assert "4 totals were delivered without any answer to the items, and could not be checked." in audit.words()
    assert "2 totals were missing where the declared rule gives one." in audit.words()
    assert not audit.is_clean


def test_tables_of_a_study_give_the_audit_of_their_wide_form_whatever_the_order_of_rows(responses_of):
    instrument, answers = LIBRARY["ces-d"], with_gaps(simulate(LIBRARY["ces-d"], 45), 46)
    totals = np.nansum(count_answers(answers, instrument), axis=1)
    given = [[None if np.isnan(value) else value for value in row] for row in answers]
    responses = responses_of("ces-d", *given)
    delivered = pd.DataFrame({"participant_id": [f"p{row}" for row in range(ROWS)], "timepoint": "baseline",
                              "measure": "ces-d.total", "score": totals})  # fmt: skip
    other = delivered.head(3).assign(measure="sf36.mental")
    before = responses.copy(deep=True), delivered.copy(deep=True)
    audit = audit_responses(responses, pd.concat([delivered, other]), LIBRARY)
    wide = audit_scores(answers, {"ces-d.total": totals}, instrument, timepoints=["baseline"] * ROWS)
    shuffled = audit_responses(
        responses.sample(frac=1, random_state=1), delivered.sample(frac=1, random_state=2), LIBRARY
    )
    for one in (wide, shuffled):
        pd.testing.assert_frame_equal(one.tidy(), audit.tidy())
        pd.testing.assert_frame_equal(one.gap_table(), audit.gap_table())
        assert one.words() == audit.words()
    pd.testing.assert_frame_equal(responses, before[0])
    pd.testing.assert_frame_equal(delivered, before[1])
    without = audit_responses(responses[responses["participant_id"] != "p0"], delivered, LIBRARY)
    assert without.gaps[0].delivered_without_answers == 1


def test_tables_without_delivered_totals_give_an_empty_audit(responses_of):
    delivered = pd.DataFrame({"participant_id": [], "timepoint": [], "measure": [], "score": []})
    audit = audit_responses(responses_of("phq-9", [0] * 9), delivered, LIBRARY)
    assert (audit.findings, audit.words(), audit.is_clean) == ((), "", True)
    assert audit.tidy().dtypes.astype(str)["rows"] == "int64"


def test_what_does_not_fit_is_an_error_that_says_how_to_fix_it_and_names_no_participant(responses_of):
    instrument, answers = LIBRARY["phq-9"], simulate(LIBRARY["phq-9"], 47)
    totals = scores_of(answers, instrument)
    for delivered, said in (
        ({"phq-9.sum": totals["phq-9.total"]}, "phq-9 computes no 'phq-9.sum'. Did you mean 'phq-9.total'?"),
        ({"phq-9.total": totals["phq-9.total"][1:]}, "phq-9.total has 199 totals for 200 rows"),
        ({"phq-9.total": ["n/a", *totals["phq-9.total"][1:]]}, "1 totals are no finite number"),
    ):
        with pytest.raises(InstrumentError) as caught:
            audit_scores(answers, delivered, instrument)
        assert said in str(caught.value)
    with pytest.raises(InstrumentError, match="phq-9 item 1: answers outside its response set"):
        audit_scores(np.where(answers == 0, 7, answers), totals, instrument)
    with pytest.raises(InstrumentError, match="There are 3 timepoints for 200 rows"):
        audit_scores(answers, totals, instrument, timepoints=["a", "b", "c"])
    with pytest.raises(InstrumentError, match="A timepoint is called 'all'"):
        audit_scores(answers, totals, instrument, timepoints=["all"] * ROWS)
    responses = responses_of("phq-9", [0] * 9).replace({"participant_id": {"p0": "secret"}})
    scores = pd.DataFrame({"participant_id": ["secret"], "timepoint": "baseline", "measure": "phq-9.total", "score": 0})
    for broken, given, said in (
        (responses.assign(item="x"), scores, "phq-9 has no item 'x'"),
        (pd.concat([responses, responses]), scores, "Some answers to phq-9 stand more than once"),
        (responses, pd.concat([scores, scores]), "Some totals of phq-9.total stand more than once"),
        (responses.drop(columns="value"), scores, "The responses have no column value"),
        (responses, scores.drop(columns="score"), "The delivered scores have no column score"),
    ):
        with pytest.raises(InstrumentError) as caught:
            audit_responses(broken, given, LIBRARY)
        assert said in str(caught.value)
        assert "secret" not in str(caught.value)
    assert "secret" not in audit_responses(responses, scores, LIBRARY).words()
