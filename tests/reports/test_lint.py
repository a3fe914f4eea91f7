import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from analysis.design import Arm
from reports import ReportContent, ReportError, lint_claims, prepare_report, render_page, render_report
from reports.summarise import ReportView, summarise_report
from reports.summary import render_summary
from reports.workbook import render_workbook

Build = Callable[..., ReportContent]
DESIGNS = ("randomised", "matched_comparison", "single_group")
EVERY_DESIGN = (*DESIGNS, "repeated_cross_section")


@pytest.mark.parametrize("kind", EVERY_DESIGN)
@pytest.mark.parametrize(
    "words",
    [
        "the effect of peer support", "two side effects", "it was effective", "a lasting impact", "impacted them",
        "this caused it", "the cause", "which led to less stigma", "leads to", "scores improved by 3", "an improvement",
        "it works", "it worked", "thanks to the groups", "Peer support reduces stigma", "a reduction", "increased",
        "resulted in less", "attributable to", "EFFECT", "led\n  to", "ef\u00adfect", "im\u200bpact", "\uff45ffect",
    ],
)  # fmt: skip
def test_words_that_say_the_programme_did_it_are_refused(kind: str, words: str) -> None:
    with pytest.raises(ReportError, match="does not allow"):
        lint_claims(f"In the end {words} for many.", kind)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "page",
    [
        "<h2>Effects</h2>", "<figcaption>What to see: the im<b>pact</b></figcaption>", '<img alt="an effect">',
        '<div aria-label="impact on mood"></div>', "<table><caption>Effect sizes</caption></table>",
        "<title>It works</title>", '<meta name="description" content="the impact">', "<td>improved by</td>",
        '<script type="application/json">{"layout": {"title": {"text": "The<br>effect"}}}</script>',
        '<script type="application/json">{"a": ["\\u0065ffect"]}</script>', "eff&#101;ct",
    ],
)  # fmt: skip
def test_words_are_found_wherever_a_person_may_read_or_hear_them(page: str) -> None:
    with pytest.raises(ReportError):
        lint_claims(page, "single_group")


@pytest.mark.parametrize(
    "text",
    [
        "because of that", "peerimpact 0.1.0", "workshops and frameworks", "How much is due to the programme cannot be told",
        "fixed effects", "associated with scores 2 points lower", "<p class='effect'>fine</p>",
        "<style>.effect { color: red }</style>", "<script>let effect = 1;</script>",
    ],
)  # fmt: skip
def test_harmless_text_passes(text: str) -> None:
    lint_claims(text, "single_group")


def test_quoted_string_is_exempt_as_a_whole_only() -> None:
    lint_claims("<h1>IMPACT trial</h1>", "single_group", quoted=["IMPACT trial"])
    for other in ("the impact trial", "IMPACT", "IMPACT trials"):
        with pytest.raises(ReportError):
            lint_claims(f"<h1>{other}</h1>", "single_group", quoted=["IMPACT trial"])


def test_error_names_every_word_and_its_place() -> None:
    with pytest.raises(ReportError) as raised:
        lint_claims("It works. Its effect lasted.", "matched_comparison")
    assert len(raised.value.problems) == 2
    assert "matched_comparison" in raised.value.problems[0].message


@pytest.mark.parametrize("kind", DESIGNS)
def test_report_of_every_design_passes_its_own_lint(build: Build, kind: str) -> None:
    for estimate in ((-2.4, -4.2, -0.6), (0.3, -1.2, 1.8)):
        page = render_report(build(kind, estimate=estimate))
        assert ("probably reduces" in page) == (kind == "randomised" and estimate[2] < 0)


@pytest.mark.parametrize("kind", DESIGNS)
def test_claim_smuggled_into_the_results_stops_the_report(build: Build, kind: str) -> None:
    content = build(kind)
    content.results["method"] = content.results["method"].replace(
        "A reason about stigma.", "Peer support reduces felt stigma for everybody."
    )
    with pytest.raises(ReportError, match="reduces"):
        render_report(content)


def test_claim_without_a_clear_result_stops_the_report_of_a_trial(build: Build) -> None:
    content = build(estimate=(-0.4, -1.4, 0.6))
    content.results["method"] = content.results["method"].replace(
        "A reason about stigma.", "Peer support probably reduces felt stigma: at 12 weeks"
    )
    with pytest.raises(ReportError, match="reduces"):
        render_report(content)


def test_brand_name_of_a_programme_may_hold_a_forbidden_word(build: Build) -> None:
    arms = (Arm("peer", "IMPACT groups"), Arm("usual", "Usual care", is_reference=True))
    page = render_report(build("matched_comparison", arms=arms, title="The IMPACT study"))
    assert "IMPACT groups" in page
    assert json.dumps("IMPACT groups")[1:-1] in page


def test_a_short_name_that_claims_stands_as_it_is_and_exempts_no_sentence_of_ours(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = (Arm("peer", "works"), Arm("usual", "Usual care", is_reference=True))
    content = build("matched_comparison", arms=arms)
    named = prepare_report(content)
    assert all(render(named) for render in (render_page, render_summary, render_workbook))

    def overclaim(*given: Any) -> ReportView:
        view = summarise_report(*given)
        return replace(view, banners=(*view.banners, "Meeting others works."))

    monkeypatch.setattr("reports.render.summarise_report", overclaim)
    overclaimed = prepare_report(content)
    for render in (render_page, render_summary, render_workbook):
        with pytest.raises(ReportError, match="works"):
            render(overclaimed)


def test_names_that_claim_nothing_cost_no_second_rendering(build: Build) -> None:
    assert prepare_report(build(title="The effect of meeting others on felt stigma")).renamed is None
