"""Sessions, margins, formats and sites in a report: what is said, in which words, and what the gate holds back."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.margin_part import JUDGEMENTS
from analysis.plan_parts import Compliers, ExposureResponse, FormatComparison, Margin
from analysis.results import Result, results_table
from reports import ReportContent, ReportError, gate_results, render_report
from reports.disclosure import NUMBERS
from reports.sections import NOT_PLANNED

Build = Callable[..., ReportContent]
MARGIN = Margin(value=4, question="non_inferiority", source="A source of our own")
ESTIMAND = "stigma_post"
OUTCOME = "stigma"


@pytest.fixture(scope="module")
def content(build: Build) -> ReportContent:
    """Content whose plan asks everything that these sections are about; the rows come with each test."""
    plain = build()
    first = plain.plan.estimands[0]
    plan = plain.plan.model_copy(update={
        "estimands": [first.model_copy(update={"margin": MARGIN}), *plain.plan.estimands[1:]],
        "exposure_response": [ExposureResponse(id="sessions", estimand=first.id, arm="peer")],
        "compliers": [Compliers(id="regulars", estimand=first.id, attended_at_least=4)],
        "formats": [FormatComparison(id="format", outcome=first.outcome, arm="peer", timepoint="post",
                                     covariates=["age"], margin=MARGIN)],
    })  # fmt: skip
    return replace(plain, plan=plan)


def put(content: ReportContent, *rows: Result) -> ReportContent:
    return replace(content, results=pd.concat([content.results, results_table(rows)], ignore_index=True))


def of(content: ReportContent, analysis: str, statistic: str, value: float = float("nan"), **more: Any) -> Result:
    """A row of a part about the first estimand, with 80 people behind it unless told otherwise."""
    first = content.plan.estimands[0]
    usual: dict[str, Any] = {"n": 80, "outcome": first.outcome, "timepoint": first.timepoint, "verdict": "estimated"}
    if analysis in ("dose", "margin"):
        usual["estimand"] = first.id
    return Result(analysis=analysis, statistic=statistic, value=value, **(usual | more))


def text(content: ReportContent) -> str:
    page = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", render_report(content), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.replace("\u00a0", " ")))


def dose(content: ReportContent, **more: Any) -> ReportContent:
    at = {"arm": "peer", "item": "sessions"}
    bands = {"below_third": 8, "third_to_two_thirds": 30, "two_thirds_or_more": 42}
    return put(
        content,
        of(content, "dose", "slope_per_session", **({"value": -0.31, "conf_low": -0.52, "conf_high": -0.1} | at | more)),
        *(of(content, "dose", f"mean_change_{band}", -2.3, conf_low=-3.87, conf_high=-0.73, **(at | {"n": n, "fewest": n}))
          for band, n in bands.items()),
        of(content, "dose", "complier_difference", -3.2, conf_low=-5.1, conf_high=-1.3, item="regulars"),
        of(content, "dose", "share_attended_enough", 70, item="regulars", arm="peer", verdict="observed"),
    )  # fmt: skip


def test_the_slope_is_said_with_its_confounding(content: ReportContent) -> None:
    said = text(dose(content))
    assert (
        "Of people in Peer support who were alike at Baseline, those who came to one session more scored 0.31 points lower (95 % interval 0.52 lower to 0.1 lower) on SSCI-8 total at 12 weeks."
        in said
    )
    assert "People who come often differ from people who do not in other ways too" in said
    assert "So this does not tell what a session does." in said
    unclear = text(dose(content, value=-0.1, conf_low=-0.3, conf_high=0.1))
    assert "No clear relation between sessions and felt stigma at 12 weeks: of people in Peer support" in unclear


def test_a_band_of_few_people_is_not_shown_and_the_others_are(content: ReportContent) -> None:
    said = text(dose(content))
    assert "Less than a third not shown" in said
    assert "A third to two thirds \u22122.3 \u22123.9 to \u22120.7" in said
    gated = gate_results(dose(content).results, "threshold-10").set_index("statistic")
    assert gated.loc["mean_change_below_third", NUMBERS].isna().all()
    assert gated.loc[["slope_per_session", "mean_change_two_thirds_or_more"], "n"].isna().all()


def test_people_who_come_when_offered_are_named_by_their_sessions(content: ReportContent) -> None:
    said = text(dose(content))
    assert (
        "Among people who come to at least 4 sessions when offered them (about 70 % of Peer support), scores on SSCI-8 total at 12 weeks compare as follows, Peer support against Usual care: 3.2 points lower (95 % interval 1.3 to 5.1 points lower)."
        in said
    )
    assert "takes for granted that the offer makes no difference to people who come to fewer" in said


@pytest.mark.parametrize("statistic", ["slope_per_session", "complier_difference"])
def test_a_refusal_is_told_in_its_own_words(content: ReportContent, statistic: str) -> None:
    item = "sessions" if statistic.startswith("slope") else "regulars"
    refused = of(content, "dose", statistic, verdict="refused:no_sessions", method="No sessions. Declare them.",
                 item=item, n=float("nan"))  # fmt: skip
    assert "was not computed. No sessions. Declare them." in text(put(content, refused))


def test_a_slope_about_few_people_is_not_shown(content: ReportContent) -> None:
    said = text(dose(content, fewest=9))
    assert "sessions that people in Peer support came to is not shown" in said
    assert "0.31" not in said


@pytest.mark.parametrize(
    ("verdict", "question", "said"),
    [
        ("non_inferior", "non_inferiority", "people in the Peer support arm fared no worse than people in the Usual care arm, by a margin of 4 points."),
        ("superior", "non_inferiority", "People in the Peer support arm fared better than people in the Usual care arm."),
        ("inferior", "non_inferiority", "fared worse than people in the Usual care arm, by more than the margin of 4 points."),
        ("not_shown", "non_inferiority", "It remains open whether people in the Peer support arm fared worse than people in the Usual care arm by more than the margin of 4 points."),
        ("equivalent", "equivalence", "fared alike: they differed by less than the margin of 4 points, either way."),
        ("not_equivalent", "equivalence", "differed by more than the margin of 4 points."),
        ("not_shown", "equivalence", "It remains open whether people in the Peer support arm and people in the Usual care arm differed by more than the margin of 4 points."),
    ],
)  # fmt: skip
def test_a_judgement_is_said_in_the_card(content: ReportContent, verdict: str, question: str, said: str) -> None:
    first = content.plan.estimands[0]
    margin = MARGIN.model_copy(update={"question": question})
    plan = content.plan.model_copy(
        update={"estimands": [first.model_copy(update={"margin": margin}), *content.plan.estimands[1:]]}
    )
    row = of(content, "margin", "judgement", JUDGEMENTS.index(verdict))
    page = text(put(replace(content, plan=plan), row))
    assert said.lower() in page.lower()
    assert "Source of the margin: A source of our own." in page
    assert "That no clear difference was found would be no answer" in page


def test_a_judgement_goes_with_the_estimate_that_is_hidden(content: ReportContent) -> None:
    row = of(content, "margin", "judgement", JUDGEMENTS.index("superior"))
    few = put(content, row)
    few.results.loc[(few.results["analysis"] == "model") & (few.results["estimand"] != ""), "n"] = 9
    gated = gate_results(few.results, "threshold-10")
    assert gated.loc[gated["analysis"] == "margin", "hidden"].all()
    assert "stands against the margin is not shown" in text(few)
    assert "fared better" not in text(few)


def formats(content: ReportContent, judgement: str = "non_inferior", **more: Any) -> ReportContent:
    at: dict[str, Any] = {"arm": "peer", "item": "format", "n": 40, "fewest": 40} | more
    return put(
        content,
        of(content, "formats", "format_difference", 0.8, conf_low=-1.1, conf_high=2.7, **at),
        of(content, "formats", "judgement", JUDGEMENTS.index(judgement), **at),
        of(content, "formats", "left_out", 20, **(at | {"verdict": "observed", "fewest": 11})),
    )


def test_online_and_in_person_has_an_answer_with_its_margin_and_no_p_value(content: ReportContent) -> None:
    page = render_report(formats(content))
    assert 'id="online"' in page
    assert 'href="#online"' in page
    said = text(formats(content))
    assert (
        "People who met mostly online fared no worse than people who met mostly in person, by a margin of 4 points."
        in said
    )
    assert (
        "After allowing for Baseline and Age, scores on SSCI-8 total at 12 weeks compare as follows, online against in person: 0.8 points higher (95 % interval from 1.1 points lower to 2.7 points higher)."
        in said
    )
    assert "About 20 % of the people with scores came to as many sessions of one format as of the other" in said
    assert "Nobody was allocated to a format here" in said
    section = page.split('id="online-title"')[1].split("</section>")[0]
    assert not re.search(r"\bp\s*[=<]", section)


def test_what_was_not_planned_before_outcomes_were_read_says_so_beside_its_answer(content: ReportContent) -> None:
    first = content.plan.estimands[0].model_copy(update={"margin": MARGIN})
    plan = content.plan.model_copy(update={"estimands": [first, *content.plan.estimands[1:]]})
    judged = of(content, "margin", "judgement", JUDGEMENTS.index("superior"))
    asked = (formats(content), dose(content), put(replace(content, plan=plan), judged))
    for later in asked:
        planned = replace(later, results=later.results.assign(prespecified=True))
        assert text(later).count(NOT_PLANNED) >= 1
        assert NOT_PLANNED not in text(planned)


def test_formats_of_few_people_and_refused_ones_say_so(content: ReportContent) -> None:
    assert "How the formats compare is not shown" in text(formats(content, n=9, fewest=9))
    refused = of(content, "formats", "format_difference", verdict="refused:format_too_small", method="Too few people.",
                 item="format", n=float("nan"))  # fmt: skip
    assert "The formats were not compared. Too few people." in text(put(content, refused))


def test_without_rows_there_is_no_section(build: Build) -> None:
    page = render_report(build())
    assert 'id="online"' not in page
    assert "Sessions and change" not in page
    assert "Held against the margin" not in page


def site_rows(content: ReportContent, sizes: dict[str, int], *, low: float = 0.4) -> list[Result]:
    rows = [
        of(content, "sites", "sites", len(sizes), n=sum(sizes.values()), verdict="observed"),
        of(content, "sites", "site_spread", 1.4, conf_low=low, conf_high=3.2),
        of(content, "sites", "site_icc", 0.07),
    ]
    for place, (site, n) in enumerate(sizes.items()):
        for name, low_end, high_end in (("prediction", -2.1, 1.7), ("funnel_95", -2.2, 2.2), ("funnel_998", -3.4, 3.4)):
            rows.append(of(content, "sites", f"site_{name}", 0.5 - place, conf_low=low_end, conf_high=high_end,
                           item=site, n=n))  # fmt: skip
        rows.append(of(content, "sites", "site_position", place % 3, item=site, n=n))
    return rows


SITES = {"harbour": 30, "bridge": 24, "old mill": 40, "quay": 9, "tower": 31}


def test_sites_stand_in_the_order_given_with_limits_and_no_rank(content: ReportContent) -> None:
    said = text(put(content, *site_rows(content, SITES)))
    assert "Felt stigma at 12 weeks, by site" in said
    assert "Between sites the standard deviation is 1.4 points (95 % interval 0.4 to 3.2), 7 % of the variance" in said
    table = said.split("The site alone lies")[1]
    places = [table.index(site) for site in SITES]
    assert places == sorted(places)
    assert "harbour 0.5 \u22122.1 to 1.7 0.5 \u22122.2 to 2.2 \u22123.4 to 3.4 within both limits" in table
    assert "beyond the 95 % limits" in table
    assert "The order of sites is no ranking" in said
    assert not re.search(r"\b(best|worst|rank \d|league)\b", said.split("For whom, and where")[-1].split("annex")[0])


def test_a_site_of_nine_people_is_not_shown(content: ReportContent) -> None:
    gated = gate_results(put(content, *site_rows(content, SITES)).results, "threshold-10")
    quay = gated[gated["item"] == "quay"]
    assert quay["hidden"].all()
    assert quay[NUMBERS].isna().all(axis=None)
    assert gated.loc[gated["analysis"] == "sites", "n"].isna().all()


def test_a_spread_that_may_be_none_is_said_to_be(content: ReportContent) -> None:
    assert "That sites do not differ at all cannot be ruled out" in text(
        put(content, *site_rows(content, SITES, low=0.0))
    )
    assert "do not differ at all" not in text(put(content, *site_rows(content, SITES)))


def test_few_facilitators_are_not_told_of(content: ReportContent) -> None:
    few, many = (
        of(content, "sites", "facilitator_spread", 0.8, conf_low=0.0, conf_high=1.9, fewest=leaders)
        for leaders in (5, 12)
    )
    assert "facilitators differ" not in text(put(content, few))
    assert "Between facilitators the standard deviation is 0.8 points" in text(put(content, many))


@pytest.mark.parametrize("name", ["<b>Improved</b>", "Impact House & Effect Street"])
def test_names_of_sites_and_sources_are_quoted_and_escaped(content: ReportContent, name: str) -> None:
    hostile = MARGIN.model_copy(update={"source": f"{name} 2020"})
    first = content.plan.estimands[0].model_copy(update={"margin": hostile})
    plan = content.plan.model_copy(update={"estimands": [first, *content.plan.estimands[1:]]})
    row = of(content, "margin", "judgement", JUDGEMENTS.index("not_shown"))
    page = render_report(put(replace(content, plan=plan), *site_rows(content, {**SITES, name: 30}), row))
    assert "<b>Improved</b>" not in page
    assert name.split()[0].replace("<", "&lt;").replace(">", "&gt;") in page


def test_our_own_sentences_still_may_not_overclaim(content: ReportContent) -> None:
    boast = of(content, "dose", "slope_per_session", verdict="refused:x", method="The sessions caused it.",
               item="sessions", arm="peer", n=float("nan"))  # fmt: skip
    with pytest.raises(ReportError, match="caused"):
        render_report(put(content, boast))


@pytest.mark.parametrize("kind", ["randomised", "matched_comparison", "single_group"])
def test_every_design_says_it_without_a_causal_word(build: Build, content: ReportContent, kind: str) -> None:
    other = build(kind)
    contrast = {"contrast": other.plan.estimands[0].contrast, "margin": MARGIN}
    first = other.plan.estimands[0].model_copy(update=contrast)
    update = {name: getattr(content.plan, name) for name in ("exposure_response", "formats")}
    plan = other.plan.model_copy(update={"estimands": [first, *other.plan.estimands[1:]], **update})
    rows = [*site_rows(content, SITES), of(content, "margin", "judgement", 2)]
    whole = formats(dose(replace(other, plan=plan)))
    assert "Sessions and change" in text(put(whole, *rows))  # the lint of the page has passed
    assert np.isfinite(gate_results(whole.results, "threshold-10")["value"]).any()
