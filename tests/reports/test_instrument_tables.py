"""How instruments behaved in the sample: what the gate leaves of it, and how the annex prints it."""

import numpy as np
import pandas as pd
import pytest

from analysis.results import Result, results_table
from instruments.wording import Wording
from reports.disclosure import gate_results
from reports.instrument_tables import instrument_tables
from reports.reading import read_rows

MEASURE, BASELINE = "ssci-8.total", "baseline"


def _share(value, n, statistic="score_floor_share", **more):
    people = value * n
    return Result(analysis="reliability" if "score" in statistic else "items", statistic=statistic, outcome=MEASURE,
                  timepoint=BASELINE, value=value, n=n, classes=2, fewest=min(people, n - people), **more)  # fmt: skip


def _gate(*rows):
    return gate_results(results_table(rows), "threshold-10").reset_index(drop=True)


@pytest.mark.parametrize(
    ("value", "n", "shown"),
    [
        (0.31, 200, 0.3),  # in steps of five percent
        (0.02, 200, "below 15 %"),  # four people, of thirty or fewer
        (0.0, 200, "below 15 %"),
        (0.1, 60, None),  # below 15 % of 60 would say that they are nine or fewer
        (0.98, 200, None),
        (1.0, 200, None),
        (0.5, 8, None),
    ],
)
def test_a_share_at_the_end_of_a_measure_shows_no_small_number(value, n, shown):
    row = _gate(_share(value, n)).iloc[0]
    assert np.isnan(row["n"])
    if shown is None:
        assert row["hidden"]
    elif isinstance(shown, str):
        assert (row["method"], np.isnan(row["value"]), row["hidden"]) == (shown, True, False)
    else:
        assert row["value"] == pytest.approx(shown)


def test_means_of_items_are_coarse_and_those_of_two_answers_hidden():
    base = {"analysis": "items", "outcome": MEASURE, "timepoint": BASELINE, "item": "1", "n": 123}
    gated = _gate(
        Result(statistic="mean", value=2.345, classes=5, **base),
        Result(statistic="mean", value=0.345, classes=2, **(base | {"item": "2"})),
        Result(statistic="item_rest_correlation", value=0.61234, **base),
    )
    assert gated["value"].tolist()[0] == 2.3
    assert gated["hidden"].tolist() == [False, True, False]
    assert gated["value"].tolist()[2] == 0.61
    assert gated["n"].isna().all()


def _content(build, *rows, **more):
    content = build(**more)
    return content, pd.concat([content.results, results_table(rows)], ignore_index=True)


def _items(n=150):
    base = {"analysis": "items", "outcome": MEASURE, "timepoint": BASELINE, "n": n}
    for item in range(1, 9):
        yield Result(statistic="mean", value=2.0 + item / 10, classes=5, item=str(item), **base)
        yield _share(0.4, n, "floor_share", item=str(item))


def _tables(content, results):
    return {
        table.caption: table for table in instrument_tables(read_rows(gate_results(results, "threshold-10")), content)
    }


def test_items_are_named_by_our_concepts_until_their_wording_is_brought(build):
    content, results = _content(build, *_items())
    table = _tables(content, results)["SSCI-8 total: items at Baseline"]
    assert table.rows[0][:3] == ("1 unease of others", "2.1", "40 %")
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
    assert line[3:] == ("0.87", "below 15 %", "\u2013", "5.4")
    found = tables["Whether items meant the same at baseline and later"].rows
    assert [words for _, words in found] == ["Metric invariance holds.", "items that run against the others: 3"]
