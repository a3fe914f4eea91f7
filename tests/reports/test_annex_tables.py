"""The table of all estimates: every number has a name in words, and what it is of."""

from collections.abc import Callable

import pytest

from reports import ReportContent, gate_results
from reports.annex_tables import estimates_table
from reports.annex_words import describe_instrument, list_models
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


def test_people_have_a_column_and_withheld_parameters_of_models_a_note_instead_of_lines(build: Build) -> None:
    content = build()
    rows = [
        row for row in read_rows(gate_results(content.results, "threshold-10")) if row.statistic != "log_likelihood"
    ]
    fit = Row(analysis="model", statistic="log_likelihood", outcome="stigma", value=float("nan"), hidden=True)
    table = estimates_table((*rows, fit, fit), content)
    assert not any(line[0].endswith(("observed", "log likelihood")) for line in table.rows)
    assert any(line[0] == "SSCI-8 total: mean" and line[-2] not in ("", "\u2013") for line in table.rows)
    assert table.notes[0].startswith("2 parameters of the models")
    assert "recognised" in table.notes[0]
    told = "People of a difference between arms: those of the arm with fewer."
    assert told in table.notes
    assert told not in estimates_table(tuple(row for row in rows if row.statistic != "difference"), content).notes


def test_an_estimate_keeps_its_digits_unless_the_gate_took_them(build: Build) -> None:
    whole = {"analysis": "model", "outcome": "stigma", "arm": "peer", "hidden": False, "statistic": "marginal_mean"}
    rows = (
        Row(**whole, value=0.543, conf_low=0.34, conf_high=0.75),
        Row(**whole, value=59.0, conf_low=54.0, conf_high=65.0),
        Row(**whole, value=-2.4, conf_low=-4.1, conf_high=-0.7),
    )
    assert [line[3] for line in estimates_table(rows, build()).rows] == ["0.54", "59", "\u22122.4"]


def test_how_sites_enter_the_models_is_said_only_where_there_are_sites(build: Build) -> None:
    content = build()
    rows = read_rows(gate_results(content.results, "threshold-10"))
    site = Row(analysis="sites", statistic="sites", outcome="stigma", value=6.0, verdict="observed")
    apart = Row(analysis="sites", statistic="site_icc", verdict="estimated", method="a model with sites")
    assert "Sites" not in dict(list_models(rows, content))
    only = dict(list_models((*rows, site), content))["Sites"]
    assert only.startswith("The models of outcomes hold no term for the site")
    assert dict(list_models((*rows, site, apart), content))["Sites"] == (
        f"{only} How sites differ comes from a model of its own: a model with sites."
    )
    assert list_models((site, apart), content) == ()


def test_terms_that_say_no_more_than_the_licence_are_not_told_twice(build: Build) -> None:
    instrument = build().instruments["who-5"]
    assert describe_instrument(instrument).terms == instrument.licence.terms
    licence = instrument.licence.model_copy(update={"status": "public_domain", "terms": "Public domain."})
    public = instrument.model_copy(update={"licence": licence})
    assert describe_instrument(public).terms == ""
    assert describe_instrument(public).licence == "Licence: public domain."
