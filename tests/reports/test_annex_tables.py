"""The table of all estimates: every number has a name in words, and what it is of."""

from collections.abc import Callable

import pytest

from reports import ReportContent, gate_results
from reports.annex_tables import estimates_table
from reports.reading import Row, read_rows
from reports.statistic_names import say_statistic, say_verdict

Build = Callable[..., ReportContent]


def named(content: ReportContent, statistic: str) -> str:
    return say_statistic(Row(analysis="model", statistic=statistic), content.design)


@pytest.mark.parametrize(
    ("statistic", "name"),
    [
        ("sd", "standard deviation"),
        ("covariance: participant intercept", "covariance: participant intercept"),
        ("covariance: residual[peer]", "covariance: residual, Peer support"),
        ("covariance: variance[post]", "covariance: variance at 12 weeks"),
        ("covariance: covariance[baseline,post]", "covariance: covariance of Baseline and 12 weeks"),
        ("covariance: correlation[lag 1]", "covariance: correlation, 1 timepoint apart"),
        ("covariance: correlation[lag 2] usual", "covariance: correlation, 2 timepoints apart, Usual care"),
        ("covariance: variance usual", "covariance: variance, Usual care"),
        ("covariance: nobody knows this", "covariance: nobody knows this"),
        ("some_other", "some other"),
    ],
)
def test_a_parameter_of_a_model_is_named_by_labels_and_not_by_ids(build: Build, statistic: str, name: str) -> None:
    assert named(build(), statistic) == name


@pytest.mark.parametrize(
    ("verdict", "said"), [("estimated", "estimated"), ("refused:too_few_rows", "refused"), ("failed:x", "failed")]
)
def test_a_verdict_is_one_word(verdict: str, said: str) -> None:
    assert say_verdict(Row(analysis="model", statistic="mean", verdict=verdict)) == said


def test_every_line_says_of_whom_a_number_is(build: Build) -> None:
    content = build(verdict="refused:empty_cell")
    table = estimates_table(read_rows(gate_results(content.results, "threshold-10")), content)
    lines = {line[0]: line for line in table.rows}
    assert lines["SSCI-8 total: difference"][1:3] == ("Peer support \u2212 Usual care", "12 weeks")
    assert lines["SSCI-8 total: difference"][-1] == "refused"
    assert lines["SSCI-8 total: log likelihood"][1] == "\u2013"
    assert lines["SSCI-8 total: mean change"][1] == "Usual care"
