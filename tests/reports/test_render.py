import base64
import gzip
import hashlib
import html
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import pytest

from analysis.design import Arm, Covariate, Measure, Timepoint
from reports import Claim, ReportContent, render_report
from reports.numbers import round_outwards
from reports.summarise import NOT_FOR_RELEASE, SYNTHETIC, OutcomeCard

Build = Callable[..., ReportContent]
MOST_BYTES = 2_500_000  # opened from an e-mail attachment, on a phone
HOSTILE = [
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "<span style=\"mask-image:url(https://evil.example/x)\">x</span>", "<a href=\"javascript:alert(1)\">x</a>",
    "\"><svg onload=alert(1)>", "' onmouseover='alert(1)", "{{ 7 * 7 }}", "{% raw %}", "</style><style>@import'//evil'",
    "<iframe srcdoc=x></iframe>", "<!-- x", "]]>", "&lt;b&gt;",
]  # fmt: skip


@pytest.fixture(scope="module")
def page(build: Build) -> str:
    return render_report(build(verdict="estimated"))


def scripts(page: str) -> list[tuple[str, str]]:
    return re.findall(r"<script([^>]*)>(.*?)</script>", page, flags=re.DOTALL)


def visible(page: str) -> str:
    """The page without its styles, its scripts and the coordinates of its drawings."""
    page = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"<path [^>]*>|(?<=<text|tspan) [^>]*", "", page)


def test_same_content_gives_the_same_bytes(build: Build, page: str) -> None:
    assert render_report(build()) == page


def test_report_fits_an_email(page: str) -> None:
    assert len(page.encode()) < MOST_BYTES


def test_policy_names_the_two_scripts_and_nothing_else(page: str) -> None:
    policy = html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1])  # type: ignore[index]
    packed = next(text for attributes, text in scripts(page) if "application/gzip" in attributes)
    boot = next(text for attributes, text in scripts(page) if not attributes)
    library = gzip.decompress(base64.b85decode(packed.translate(str.maketrans(".,/", "<>&")))).decode()
    expected = {
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in (boot, library)
    }
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert set(directives["script-src"].split()) == expected
    assert directives["default-src"] == directives["base-uri"] == directives["form-action"] == "'none'"


def test_report_names_nothing_outside_itself(page: str) -> None:
    text = re.sub(r'<script type="application/gzip".*?</script>', "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:https?:)?//[a-z]|@import|url\(", text)
    assert set(re.findall(r'(?:href|src)="([^"]*)"', text)) == {
        "#main", "#short", "#delivered", "#people", "#outcomes", "#worse", "#where", "#deviations", "#annex",
        "#outcome-stigma", "#outcome-wellbeing",
    }  # fmt: skip


def test_page_has_the_skeleton_of_a_document(page: str) -> None:
    text = visible(page)
    for once in ("<h1", "<main", "<title>", '<html lang="en" dir="ltr">', 'class="skip"', "<nav"):
        assert text.count(once) == 1, once
    levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    identifiers = re.findall(r'\bid="([^"]*)"', page)
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_label_stays_text(build: Build, page: str, hostile: str) -> None:
    arms = (Arm("peer", hostile), Arm("usual", f"Usual {hostile}", is_reference=True))
    times = (
        Timepoint("baseline", hostile, 0),
        Timepoint("post", f"2 {hostile}", 12),
        Timepoint("late", f"3 {hostile}", 26),
    )
    measures = {name: Measure(name, hostile, f"a {hostile}", 8, 40, "worse", name.split(".")[0])
                for name in ("ssci-8.total", "who-5.total")}  # fmt: skip
    content = build("matched_comparison", arms=arms, timepoints=times, measures=measures, title=hostile, question=hostile,
                    programme=hostile, sponsor=hostile, evaluator=hostile)  # fmt: skip
    content = replace(
        content, provenance={"versions": {hostile: hostile}, "fingerprints": {hostile: "00"}},
        design=replace(content.design, covariates=(Covariate("age", hostile, "number"),)),
        verdicts=content.verdicts.assign(description=hostile),
        reconciliation=content.reconciliation.assign(reasons=f"{hostile}: 1"),
        results=content.results.assign(method=hostile),
    )  # fmt: skip
    attacked = render_report(content)
    benign = render_report(build("matched_comparison", evaluator="x"))
    assert tag_names(attacked) <= tag_names(benign)
    assert attribute_names(attacked) <= attribute_names(benign)
    title = re.search(r"<h1>(.*?)</h1>", attacked)[1]  # type: ignore[index]
    assert html.unescape(title) == hostile


def tag_names(page: str) -> set[str]:
    return set(re.findall(r"<(/?[a-zA-Z!][a-zA-Z0-9-]*)", page))


def attribute_names(page: str) -> set[str]:
    tags = re.findall(r"<[a-zA-Z](?:[^>\"]|\"[^\"]*\")*>", page)
    return {name for tag in tags for name in re.findall(r"\s([a-zA-Z-]+)=", re.sub(r'"[^"]*"', '""', tag))}


def test_invented_people_are_announced(build: Build, page: str) -> None:
    assert SYNTHETIC not in page
    assert SYNTHETIC in visible(render_report(build(synthetic=True)))


def test_copy_without_protection_is_marked(build: Build, page: str) -> None:
    assert NOT_FOR_RELEASE not in page
    assert NOT_FOR_RELEASE in visible(render_report(build(profile="none")))


def test_page_one_says_who_came_what_changed_and_how_sure(build: Build) -> None:
    short = visible(render_report(build())).split('id="people"')[0]
    assert "Of 900 eligible people 700 were invited." in short
    assert "There are data on 451 people: 220 in Peer support and 231 in Usual care." in short
    assert "At 12 weeks, 390 of 451 answered (86\u00a0%)" in short
    assert "Peer support probably reduces felt stigma" in short
    assert "Moderate certainty" in short
    assert "A reason about stigma." in short
    assert "Whether one part of the programme matters more than another" not in short
    assert "That it would be the same with other people" in short


def test_who_left_is_said_as_fewer_than_ten(recount: Build) -> None:
    text = visible(render_report(recount(peer=(220, 215, 214))))
    assert "at least 211 of 220 in Peer support (fewer than 10 did not answer)" in text
    assert not re.search(r"\b21[45]\b", text)


def test_refused_estimand_is_on_the_page_with_its_reason(build: Build) -> None:
    text = visible(render_report(build(verdict="refused:empty_cell")))
    assert text.count("Nobody answered. Deliver another wave.") >= 2
    assert "There is no answer that one could be sure of." in text
    assert "Ask the evaluator what it would take to answer the primary question" in text


def test_change_within_an_arm_is_never_shown_without_its_warning(build: Build) -> None:
    for kind in ("randomised", "matched_comparison", "single_group"):
        text = visible(render_report(build(kind)))
        several = "" if kind == "single_group" else " within each arm"
        captions = re.findall(rf"Change of [\w -]+{several}, in points", text)
        assert len(captions) == 2 * 2  # caption and name of its region, for two outcomes
        assert text.count("A change within one arm says nothing of the programme") == 2


def test_notes_that_hold_of_every_answer_are_said_once() -> None:
    shared = OutcomeCard.notes_of_all.fget
    first, second = Claim("a", "A.", ("way", "same", "own")), Claim("b", "B.", ("way", "other", "same"))
    assert shared(SimpleNamespace(claims=(first, second))) == ("same",)
    assert shared(SimpleNamespace(claims=(first, second, Claim("c", "Not computed.")))) == ("same",)
    assert shared(SimpleNamespace(claims=(first,))) == ()
    assert shared(SimpleNamespace(claims=())) == ()


def test_outcomes_stand_in_the_order_of_the_plan(build: Build) -> None:
    text = visible(render_report(build()))
    assert text.index('id="outcome-stigma"') < text.index('id="outcome-wellbeing"')


def test_every_chart_has_a_caption_and_its_numbers_in_a_table(page: str) -> None:
    for figure in re.findall(r"<figure>(.*?)</figure>", page, flags=re.DOTALL):
        assert "<figcaption>" in figure
    assert page.count('data-figure="figure-trajectories-') == page.count("<caption>Model means of ") == 2
    assert page.count('data-figure="') == page.count('role="img"') == page.count("<figcaption>")


def test_numbers_of_the_means_table_are_those_of_the_results(build: Build) -> None:
    content = build()
    text = visible(render_report(content))
    for row in content.results[content.results["statistic"] == "marginal_mean"].itertuples():
        low, high = round_outwards(row.conf_low, row.conf_high, 1)
        assert f"<td>{row.value:.1f} ({low:.1f} to {high:.1f})</td>" in text


def test_tiny_arms_leave_a_page_that_explains_the_marks(recount: Build) -> None:
    text = visible(render_report(recount(peer=(9, 8, 3), usual=(8, 0, 5))))
    assert "not shown" in text
    assert "somebody could be recognised" in text
    drawn = re.findall(r'data-figure="figure-([^"]*)"', text)
    assert not [name for name in drawn if name.startswith(("flow", "attrition", "forest", "trajectories"))]


def test_annex_names_instruments_models_rules_and_fingerprints(page: str) -> None:
    annex = visible(page).split('id="annex"')[1]
    for said in ("Stigma Scale for Chronic Illness", "Licence:", "A model in words.", "Answers are in range.", "ab" * 32,
                 "Fewer than one in twenty of the rows", "the sum was checked", "Some single answers were set aside"):  # fmt: skip
        assert said in annex


def test_rows_that_do_not_add_up_are_said_to(build: Build) -> None:
    content = build()
    off = replace(content, reconciliation=content.reconciliation.assign(rows_accepted=1))
    assert "do not add up" in render_report(off)


def test_results_of_the_content_are_not_changed(build: Build) -> None:
    content = build()
    before = content.results.copy()
    render_report(content)
    assert content.results.equals(before)
