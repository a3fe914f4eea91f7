"""In people's words: what is said of themes, which quotations are shown, and that no few people follow from it."""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.design import Theme
from analysis.evaluation import Evaluation
from analysis.profiles import PROFILES
from analysis.results import Result, results_table
from analysis.themes_part import describe_themes
from reports import ReportContent, ReportError, gate_results, prepare_report, render_report
from reports.codebook import published_results
from reports.disclosure import NUMBERS
from reports.people_words import CAUTION, say_words
from reports.reading import read_rows
from reports.sections import Section
from reports.themes_gate import gate_themes

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
THEMES = (
    Theme("practical", "Practical help", "People say what they learned to do."),
    Theme("belonging", "Belonging", "People say that they are among their own."),
)
SIZES = {"peer": 220, "usual": 231}


def interviewed(
    content: ReportContent,
    spoke: Mapping[str, Mapping[str, int]],
    people: Mapping[str, int],
    *,
    coders: int = 2,
    themes: Sequence[Theme] = THEMES,
    **changes: Any,
) -> ReportContent:
    """Add interviews to content: people of each arm, one excerpt each, and how many of them spoke of each theme."""
    rng = np.random.default_rng(3)
    design = replace(content.design, themes=tuple(themes))
    told = []
    for arm, count in people.items():
        for number, coder in product(range(count), range(1, coders + 1)):
            found = [theme for theme, by_arm in spoke.items() if number < by_arm.get(arm, 0)]
            if coder > 1 and rng.random() < 0.1:
                found = []
            told += [(f"{arm}{number}", f"{arm} {number}", coder, theme) for theme in found or [""]]
    evaluation = Evaluation(
        plan=content.plan,
        design=design,
        library={},
        scores=pd.DataFrame(),
        participants=pd.DataFrame(
            [(f"{arm}{number}", arm) for arm in SIZES for number in range(SIZES[arm])],
            columns=["participant_id", "arm"],
        ),
        responses=pd.DataFrame(),
        sessions=None,
        events=pd.DataFrame(),
        frames={},
        answers=(),
        measurement=(),
        codings=pd.DataFrame(told, columns=["participant_id", "excerpt", "coder", "theme"]),
    )
    results = pd.concat([content.results, results_table(describe_themes(evaluation))], ignore_index=True)
    return replace(content, design=design, results=results, **changes)


def section_of(content: ReportContent) -> Section:
    prepared = prepare_report(content)
    return next(section for section in prepared.view.sections if section.id == "words")


def words_of(section: Section) -> dict[str, str]:
    return {block.heading: " ".join([*block.sentences, *block.items]) for block in section.blocks}


def test_the_section_stands_between_the_outcomes_and_the_deviations_and_is_absent_without_interviews(
    build: Build,
) -> None:
    content = build()
    assert all(section.id != "words" for section in prepare_report(content).view.sections)
    spoken = interviewed(content, {"belonging": {"peer": 12}}, {"peer": 30})
    ids = [section.id for section in prepare_report(spoken).view.sections]
    assert ids[-1] == "deviations" if "deviations" in ids else ids[-1] == "words"
    section = section_of(spoken)
    assert CAUTION in section.lead
    assert "not how many or how much" in section.lead
    assert "not chosen by chance" in section.lead


def test_themes_stand_in_the_order_of_the_study_with_coarse_words_of_who_spoke(build: Build) -> None:
    spoke = {"practical": {"peer": 4}, "belonging": {"peer": 25}}
    section = section_of(interviewed(build(), spoke, {"peer": 30}))
    assert "At least 10 people were interviewed." in section.lead
    said = words_of(section)
    assert list(said) == ["Practical help", "Belonging", "How far the coders agree"]
    assert "Spoken of by fewer than 10 of the people interviewed." in said["Practical help"]
    assert "Spoken of by at least 10 of the people interviewed." in said["Belonging"]
    assert "People say that they are among their own." in said["Belonging"]
    assert "Agreement between coders on it: 0." in said["Belonging"]
    assert "At least 30 excerpts were read by two coders or more." in said["How far the coders agree"]
    assert "1 where the coders agree throughout" in said["How far the coders agree"]


def test_eyes_inside_see_every_number_and_the_arms(build: Build) -> None:
    spoke = {"practical": {"peer": 4, "usual": 0}, "belonging": {"peer": 15, "usual": 1}}
    said = words_of(section_of(interviewed(build(profile="none"), spoke, {"peer": 18, "usual": 6})))
    assert "Spoken of by 16 of the 24 people interviewed." in said["Belonging"]
    assert "Usual care: 1 of the 6 people interviewed" in said["Belonging"]
    assert re.search(r"alpha|Agreement between coders on all themes: 0\.\d\d ", said["How far the coders agree"])


def test_arms_are_not_told_where_people_of_one_alone_were_interviewed(build: Build) -> None:
    content = interviewed(build(profile="none"), {"belonging": {"peer": 12}}, {"peer": 30})
    said = words_of(section_of(content))["Belonging"]
    assert "Spoken of by 12 of the 30 people interviewed." in said
    assert "Peer support:" not in said


def test_one_coder_or_few_people_are_told_in_words(build: Build) -> None:
    alone = words_of(section_of(interviewed(build(), {"belonging": {"peer": 12}}, {"peer": 30}, coders=1)))
    assert "One person alone coded the interviews" in alone["How far the coders agree"]
    assert "Agreement" not in alone["Belonging"]
    few = section_of(interviewed(build(), {"belonging": {"peer": 5}}, {"peer": 9}))
    assert "How many people were interviewed is not shown" in few.lead
    assert "How many of the people interviewed spoke of it is not shown" in words_of(few)["Belonging"]


def test_what_few_people_agree_on_is_not_told_even_where_all_judgements_are_the_same(build: Build) -> None:
    content = interviewed(build(), {"belonging": {"peer": 5}}, {"peer": 5})
    more = content.results[(content.results["statistic"] == "excerpts_read_twice")].index
    results = content.results.copy()
    results.loc[more, "value"] = 40.0
    same = results["statistic"].eq("people_with_theme")
    extra = results[same].assign(statistic="agreement", value=np.nan, n=5.0, verdict="refused:all_the_same")
    gated = gate_results(pd.concat([results, extra], ignore_index=True), "threshold-10")
    own = gated[(gated["analysis"] == "themes") & (gated["statistic"] == "agreement") & (gated["item"] != "")]
    assert set(own["verdict"]) == {"refused:few_people"}
    assert gated.loc[gated["statistic"] == "excerpts_read_twice", NUMBERS].isna().all(axis=None)
    assert gated.loc[gated["statistic"] == "excerpts_read_twice", "hidden"].all()


@pytest.mark.parametrize("profile", ["threshold-10", "cms-11", "nhs-8", "datashield-3"])
def test_of_every_number_of_people_only_the_threshold_is_told(build: Build, profile: str) -> None:
    least = PROFILES[profile].threshold
    people = {"peer": 3 * least, "usual": 2 * least}
    spoke = {"belonging": {"peer": least, "usual": least}, "practical": {"peer": 2 * least, "usual": least - 1}}
    told = interviewed(build(profile=profile), spoke, people)
    gated = gate_results(told.results, profile)
    counts = gated[gated["statistic"].isin(["interviewed", "people_with_theme"])]
    assert counts[NUMBERS].isna().all(axis=None)
    known = {(row["item"], row["arm"]): row["at_least"] for row in counts.to_dict("records")}
    assert {place for place, number in known.items() if number == least} == {
        *(("", arm) for arm in ("", "peer", "usual")),
        *(("belonging", arm) for arm in ("", "peer", "usual")),
        ("practical", ""),
    }, "a theme that few of one arm spoke of is told of no arm"
    assert "fewest" not in published_results(prepare_report(told))


@pytest.mark.parametrize("allocated", [220, 6])
def test_no_small_number_of_people_follows_from_what_is_told_together(allocated: int) -> None:
    """Everything that two arms may hold is gated; what looks the same must leave small numbers open."""
    profile, most = PROFILES["datashield-3"], 4
    of_arms = [(n, c) for n in range(most + 1) for c in range(n + 1)]
    seen: dict[str, list[dict[str, int]]] = {}
    for (n, c), (m, d) in list(product(of_arms, of_arms))[1:]:
        rows = [Result(analysis="flow", statistic="allocated", arm=arm, value=allocated) for arm in ("peer", "usual")]
        for arm, people, spoke in (("", n + m, c + d), ("peer", n, c), ("usual", m, d)):
            rows.append(Result(analysis="themes", statistic="interviewed", arm=arm, value=people, n=people))
            rows.append(
                Result(analysis="themes", statistic="people_with_theme", item="a", arm=arm, value=spoke, n=people)
            )
        results = results_table(rows)
        gated = results.assign(hidden=False, at_least=np.nan)
        gate_themes(gated, results, profile)
        own = gated[gated["analysis"] == "themes"]
        numbers = {"n": n, "m": m, "c": c, "d": d, "interviewed": n + m, "spoke": c + d, "n - c": n - c, "m - d": m - d,
                   "silent": n + m - c - d, "others": 2 * allocated - n - m, "others of n": allocated - n}  # fmt: skip
        seen.setdefault(own[[*NUMBERS, "hidden", "at_least"]].to_csv(), []).append(numbers)
    assert len(seen) > 2
    for alike in seen.values():
        for name in alike[0]:
            possible = {each[name] for each in alike}
            assert len(possible) > 1 or min(possible) >= profile.threshold, name


def test_nothing_is_told_where_nearly_everybody_was_interviewed(build: Build) -> None:
    small = build(counts={"peer": (10, 10, 10), "usual": (8, 8, 8)})
    told = interviewed(small, {"belonging": {"peer": 10, "usual": 7}}, {"peer": 10, "usual": 7})
    gated = gate_results(told.results, "threshold-10")
    own = gated[(gated["analysis"] == "themes") & gated["statistic"].isin(["interviewed", "people_with_theme"])]
    assert own["at_least"].isna().all(), "of 18 people at least ten would leave at most eight"


@pytest.mark.parametrize(("people", "shown"), [(2, 0), (9, 0), (10, 2), (12, 2)])
def test_a_quotation_is_shown_where_as_many_people_speak_of_the_theme_as_may_be_told_and_two_at_most(
    build: Build, people: int, shown: int
) -> None:
    quotations = {"belonging": ("First words.", "Second words.", "Third words."), "practical": ("Lonely words.",)}
    spoke = {"belonging": {"peer": people}, "practical": {"peer": 1}}
    content = interviewed(build(), spoke, {"peer": 30}, quotations=quotations)
    page = render_report(content)
    assert ("Everybody who is quoted agreed to it." in page) == bool(shown)
    assert page.count('<blockquote dir="auto">') == shown
    assert [words in page for words in ("First words.", "Second words.", "Third words.", "Lonely words.")] == [
        bool(shown), bool(shown), False, False,
    ]  # fmt: skip
    assert all(words not in str(prepare_report(content).view) for words in ("Third words.", "Lonely words."))


HOSTILE = "</p></blockquote><script>alert(1)</script><img src=x onerror=alert(2)> =cmd() {{ 7*7 }} \u202egnirts"


def test_a_hostile_quotation_label_or_definition_stays_text(build: Build) -> None:
    themes = (Theme("belonging", f"Label {HOSTILE}", f"Definition {HOSTILE}"),)
    content = interviewed(
        build(), {"belonging": {"peer": 12}}, {"peer": 30}, themes=themes, quotations={"belonging": (HOSTILE,)}
    )
    page = render_report(content)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "{{ 7*7 }}" in page
    plain = HOSTILE.replace("\u202e", "")  # a character that turns the order of letters is left out of the page
    assert "\u202e" not in page
    assert page.count(html.escape(plain, quote=False)) >= 1 or page.count(html.escape(plain)) >= 1


def test_what_people_say_may_claim_and_what_the_report_says_may_not(build: Build) -> None:
    quotation = "The groups improved my life, thanks to them I came back."
    content = interviewed(
        build("single_group"), {"belonging": {"peer": 12}}, {"peer": 30}, quotations={"belonging": (quotation,)}
    )
    assert quotation in html.unescape(render_report(content))
    with pytest.raises(ReportError, match="improved"):
        render_report(claiming(content))


def claiming(content: ReportContent) -> ReportContent:
    """Return content of which a sentence of ours claims with a word that somebody else is quoted with."""
    results = content.results.copy()
    own = (results["analysis"] == "themes") & (results["statistic"] == "agreement") & (results["item"] == "belonging")
    results.loc[own, ["verdict", "method", "words"]] = ["refused:all_the_same", "The programme improved it.", ""]
    return replace(content, results=results, quotations={"belonging": ("improved",)})


def test_every_sentence_of_ours_can_be_said_in_another_language(build: Build) -> None:
    spoke = {"practical": {"peer": 4, "usual": 3}, "belonging": {"peer": 15, "usual": 14}}
    for profile, people in (("none", 20), ("threshold-10", 20), ("threshold-10", 3)):
        content = interviewed(
            build(profile=profile), spoke, {"peer": people, "usual": people}, quotations={"belonging": ("Words.",)}
        )
        rows = read_rows(gate_results(content.results, profile))
        labels = {theme.label for theme in THEMES} | {theme.definition for theme in THEMES} | {"Words."}
        labels |= {arm.label for arm in content.design.arms}
        assert find_unmarked(labels, say_words, rows, content) == []
