"""What the programme is: the words of the study in the report, and what it does not tell."""

import html
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from pipelines.study import ProgrammeDescription
from reports import ReportContent, ReportError, render_report
from reports.description import PARTS, describe_programme, say_undescribed
from reports.language import open_language
from reports.own_words import translate_content

from .said_in_marks import find_unmarked

Build = Callable[..., ReportContent]
EVERYTHING = {part: f"Words on {part}." for part in PARTS}
HOSTILE = "<script>alert(1)</script> caused an impact {{ 7 * 7 }}"


def section(content: ReportContent) -> str:
    page = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", render_report(content), flags=re.DOTALL)
    return page.split('id="delivered-title"')[1].split("</section>")[0]


def test_the_parts_of_the_report_are_the_keys_of_the_study_in_their_order() -> None:
    assert list(PARTS) == list(ProgrammeDescription.model_fields)
    assert len(PARTS) == 11, "twelve points of the checklist, the first of which is the title"


def test_the_report_lists_what_the_study_tells_under_a_name_of_ours(build: Build) -> None:
    text = section(build(delivered_as=EVERYTHING))
    assert re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", text) == [
        ("The programme", "Weekly groups."),
        *((PARTS[part][0], words) for part, words in EVERYTHING.items()),
    ]
    assert "does not tell" not in text


def test_the_order_is_ours_whatever_the_order_of_the_study(build: Build) -> None:
    content = build(delivered_as={"schedule": "Weekly.", "why": "An idea."}, programme="")
    assert [words for _, words in describe_programme(content)] == ["An idea.", "Weekly."]


@pytest.mark.parametrize("missing", list(PARTS))
def test_what_is_not_told_is_said_in_one_sentence(build: Build, missing: str) -> None:
    content = build(delivered_as={part: words for part, words in EVERYTHING.items() if part != missing})
    assert say_undescribed(content) == f"What the study does not tell of the programme: {PARTS[missing][1]}."


def test_a_study_that_tells_nothing_or_only_the_programme_says_so(build: Build) -> None:
    silent = section(build(programme=""))
    assert "<p>The study does not describe the programme.</p>" in silent
    assert "<dl>" not in silent
    assert "Beyond that, the study does not describe how the programme is given." in section(build())


def test_words_of_the_study_are_quoted_and_escaped_and_ours_stay_under_the_lint(build: Build) -> None:
    text = section(build("single_group", delivered_as=dict.fromkeys(PARTS, HOSTILE)))
    assert HOSTILE not in text
    assert html.unescape(text).count(HOSTILE) == len(PARTS)
    with pytest.raises(ReportError, match="impact"):
        render_report(replace(build("single_group"), verdicts=build().verdicts.assign(description=HOSTILE)))


def test_words_of_the_study_are_said_in_the_language_for_which_it_brings_them(build: Build) -> None:
    content = build(delivered_as={"why": "An idea."}, statements={"funding": "A fund."})
    content = replace(content, language=open_language("en", {"An idea.": "Une idée.", "A fund.": "Un fonds."}))
    told = translate_content(content)
    assert (told.delivered_as, told.statements) == ({"why": "Une idée."}, {"funding": "Un fonds."})


@pytest.mark.parametrize("told", [{}, {"why": "An idea."}, EVERYTHING])
def test_every_word_of_ours_comes_from_the_catalogue(build: Build, told: dict[str, str]) -> None:
    content = build(delivered_as=told)
    assert find_unmarked([*told.values(), "Weekly groups."], describe_programme, content) == []
    assert find_unmarked((), say_undescribed, content) == []
