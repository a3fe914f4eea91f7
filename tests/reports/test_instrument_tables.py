"""How instruments behaved in the sample: what the gate leaves of it, and how the annex prints it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.results import Result, results_table
from instruments.wording import Wording
from reports.disclosure import gate_results
from reports.instrument_tables import instrument_tables, measurement_table, say_few_people
from reports.reading import read_rows

MEASURE, BASELINE = "ssci-8.total", "baseline"


def _share(value, n, statistic="score_floor_share", **more):
    return Result(analysis="reliability" if "score" in statistic else "items", statistic=statistic, outcome=MEASURE,
                  timepoint=BASELINE, value=value, n=n, **more)  # fmt: skip


def _gate(*rows):
    return gate_results(results_table(rows), "threshold-10").reset_index(drop=True)


@pytest.mark.parametrize(
    ("value", "n", "said"),
    [
        (0.31, 200, "15\u00a0% or more"),
        (0.02, 200, "below 15\u00a0%"),  # four people, of up to twenty-nine
        (0.0, 200, "below 15\u00a0%"),
        (1.0, 200, "15\u00a0% or more"),
        (0.02, 60, None),  # below 15 % of sixty would say that they are nine or fewer
        (0.5, 8, None),
    ],
)
def test_of_a_share_at_the_end_of_a_measure_only_its_side_of_the_limit_is_said(value, n, said):
    row = _gate(_share(value, n)).iloc[0]
    assert np.isnan(row["n"])
    assert np.isnan(row["value"])
    assert row["hidden"] == (said is None)
    if said:
        assert row["method"] == said


def test_how_items_were_answered_is_not_printed_and_how_they_relate_only_of_enough_people():
    base = {"analysis": "items", "outcome": MEASURE, "timepoint": BASELINE}
    rows = [
        Result(statistic=statistic, value=0.61234, item=str(item), n=n, **base)
        for statistic in ("mean", "floor_share", "ceiling_share", "item_rest_correlation", "alpha_if_dropped")
        for item, n in ((1, 123), (2, 123), (3, 49))
    ]
    gated = _gate(*rows).set_index(["statistic", "item"])
    for statistic in ("mean", "floor_share", "ceiling_share"):
        assert gated.loc[statistic, "hidden"].all()
        assert gated.loc[statistic, "value"].isna().all()
    for statistic in ("item_rest_correlation", "alpha_if_dropped"):
        assert gated.loc[statistic, "hidden"].tolist() == [False, False, True]
        assert gated.loc[(statistic, "1"), "value"] == 0.61
    assert gated["n"].isna().all()


def test_what_two_items_share_is_a_table_of_people_and_is_not_printed():
    base = {"outcome": MEASURE, "timepoint": BASELINE, "n": 200}
    names = ("cronbach_alpha", "omega_total", "mean_inter_item_correlation", "reliable_change")
    rows = [Result(analysis="reliability", statistic=name, value=0.8, **base) for name in names]
    items = [Result(analysis="items", statistic="item_rest_correlation", value=0.7, item=item, **base) for item in "12"]
    gated = _gate(*rows, *items)
    assert gated["hidden"].all()
    three = [*items, Result(analysis="items", statistic="item_rest_correlation", value=0.7, item="3", **base)]
    assert not _gate(*rows, *three)["hidden"].any()


def test_an_interval_does_not_bring_back_a_withheld_number_of_people():
    base = {
        "analysis": "reliability",
        "outcome": MEASURE,
        "timepoint": BASELINE,
        "conf_low": 0.8412,
        "conf_high": 0.9134,
    }
    counts = [Result(analysis="flow", statistic="observed", outcome=MEASURE, arm=arm, timepoint=BASELINE, value=n, n=n)
              for arm, n in (("peer", 60), ("usual", 64))]  # fmt: skip
    near = _gate(*counts, Result(statistic="cronbach_alpha", value=0.88123, n=122, **base)).iloc[-1]
    assert np.isnan(near["n"])
    assert np.isnan(near["conf_low"])
    assert near["value"] == 0.88
    exact = _gate(*counts, Result(statistic="cronbach_alpha", value=0.88123, n=124, **base)).iloc[-1]
    assert (exact["n"], exact["conf_low"], exact["conf_high"]) == (124, 0.84, 0.91)
    agreed = _gate(*counts, Result(statistic="agreement_with_first", value=0.6, n=118, **base)).iloc[-1]
    assert np.isnan(agreed["conf_low"])


def test_an_audit_says_the_rule_and_never_how_many_rows_follow_it():
    base = {"analysis": "score_audit", "outcome": MEASURE, "method": "A rule."}
    few, many = (Result(statistic=f"incomplete: rule {n}", value=n, n=n, **base) for n in (3, 24))
    gated = _gate(few, many)
    assert gated["value"].isna().all()
    assert gated["n"].isna().all()
    assert gated["method"].tolist() == ["", "A rule."]
    assert gated["statistic"].tolist()[0] == "withheld"


def _content(build, *rows, **more):
    content = build(**more)
    return content, pd.concat([content.results, results_table(rows)], ignore_index=True)


def _items(n=150):
    for item in range(1, 9):
        yield Result(analysis="items", outcome=MEASURE, timepoint=BASELINE, n=n, statistic="item_rest_correlation",
                     value=0.7 + item / 100, item=str(item))  # fmt: skip
        yield _share(0.4, n, "floor_share", item=str(item))


def _tables(content, results):
    return {
        table.caption: table for table in instrument_tables(read_rows(gate_results(results, "threshold-10")), content)
    }


def test_items_are_named_by_our_concepts_until_their_wording_is_brought(build):
    content, results = _content(build, *_items())
    table = _tables(content, results)["SSCI-8 total: items at Baseline"]
    item, relation = table.rows[0]
    assert (table.columns, relation) == (("Item", "With the other items"), "0.71")
    assert item.startswith("1 ")
    assert "wording is its owner's" in table.notes[0]
    words = Wording(
        instrument="ssci-8", language="en", holder="Test press", items={str(n): f"Invented {n}" for n in range(1, 9)}
    )
    worded, results = _content(build, *_items(), wording={"ssci-8": words})
    table = _tables(worded, results)["SSCI-8 total: items at Baseline"]
    assert table.rows[0][0] == "1 Invented 1"
    assert "Test press" in table.notes[0]


def test_a_measure_has_one_line_for_each_timepoint_and_reasons_instead_of_numbers(build):
    base = {"analysis": "reliability", "outcome": MEASURE, "n": 150}
    rows = [
        Result(statistic="omega_total", timepoint=BASELINE, value=0.871, **base),
        Result(statistic="reliable_change", timepoint=BASELINE, value=5.43, **base),
        _share(0.01, 150),
        Result(statistic="invariance_level", timepoint="post", value=2, method="Metric invariance holds.", **base),
        Result(statistic="negative_item_rest_correlations", timepoint="post", value=1,
               method="items that run against the others: 3", **base),
    ]  # fmt: skip
    content, results = _content(build, *rows)
    tables = _tables(content, results)
    line = tables["The measures in this sample"].rows[0]
    assert line[0] == "SSCI-8 total, Baseline"
    assert line[3:] == ("0.87", "below 15\u00a0%", "\u2013", "5.4")
    found = tables["Whether items meant the same at baseline and later"].rows
    assert [words for _, words in found] == ["Metric invariance holds.", "items that run against the others: 3"]


def test_timepoints_of_which_the_same_was_found_share_a_line_and_a_single_item_has_a_note(build):
    base = {"analysis": "reliability", "outcome": MEASURE, "n": 150}
    level = {"statistic": "invariance_level", "verdict": "refused:too_few_people", "method": "It needs more people."}
    alone = {"statistic": "cronbach_alpha", "verdict": "refused:one_item", "method": "Alpha needs two items or more."}
    rows = [Result(timepoint=at, **base | more) for at in (BASELINE, "post", "late") for more in (level, alone)]
    content, results = _content(build, *rows)
    tables = _tables(content, results)
    lines = tables["Whether items meant the same at baseline and later"].rows
    assert lines == (("SSCI-8 total, Baseline, 12 weeks and 26 weeks", "It needs more people."),)
    sample = tables["The measures in this sample"]
    assert all("two items" not in cell for line in sample.rows for cell in line)
    assert sample.notes.count("SSCI-8 total: Alpha needs two items or more.") == 1


@pytest.fixture
def measurement(build):
    """A function that gives the columns and notes of the first table of a design, of alpha with the interval given."""

    def table(kind, interval):
        content = build(kind)
        low, high = interval
        alpha = {"analysis": "reliability", "outcome": MEASURE, "timepoint": BASELINE, "n": 451}
        rows = read_rows(
            results_table(
                [
                    Result(statistic="cronbach_alpha", value=0.88, conf_low=low, conf_high=high, **alpha),
                    Result(statistic="reliable_change", value=4.2, **alpha),
                ]
            ).assign(hidden=False, at_least=np.nan)
        )
        return instrument_tables(rows, content)[0]

    return table


def test_a_column_in_which_nothing_stands_is_not_printed(measurement):
    with_interval, without = measurement("randomised", (0.86, 0.9)), measurement("randomised", (np.nan, np.nan))
    assert set(with_interval.columns) - set(without.columns) == {"95\u00a0% interval"}
    assert len(without.rows[0]) == len(without.columns)
    assert without.rows[0][without.columns.index("Reliable change")] == "4.2"


def test_a_change_of_people_is_not_printed_where_nobody_is_followed(measurement):
    table = measurement("repeated_cross_section", (0.86, 0.9))
    assert "Reliable change" not in table.columns
    assert len(table.rows[0]) == len(table.columns)
    assert "Reliable change" not in " ".join(table.notes)
    assert "Reliable change" in " ".join(measurement("single_group", (0.86, 0.9)).notes)


@pytest.mark.parametrize(("n", "is_said"), [(49, True), (12, True), (50, False)])
def test_an_alpha_of_few_people_is_said_to_be_uncertain(build, n, is_said):
    design = build().design
    omega = Result(analysis="reliability", statistic="omega_total", outcome=MEASURE, timepoint=BASELINE, value=0.8, n=n)
    alpha = replace(omega, statistic="cronbach_alpha")
    for profile in ("threshold-10", "none"):
        rows = read_rows(gate_results(results_table([alpha, omega]), profile))
        said = " ".join(say_few_people(rows, design))
        assert ("fewer than 50 people are behind the alpha of SSCI-8 total" in said) == is_said
        assert said in " ".join(measurement_table(rows, design).notes)
