"""Certainty, expected change, margins, sessions and formats in a language that marks what it knows: no word is left."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from gettext import NullTranslations
from typing import Any

import pandas as pd
import pytest

from analysis import expected_change_part as part
from analysis.dose_part import BANDS
from analysis.dose_part import REFUSALS as NO_DOSE
from analysis.formats_part import REFUSALS as NO_FORMATS
from analysis.margin_part import JUDGEMENTS, NOT_ESTIMATED
from analysis.plan_parts import Compliers, Entry, ExposureResponse, FormatComparison, Margin, NaturalChange
from analysis.results import Result, results_table
from analysis.telling import tell
from reports import ReportContent, gate_results
from reports.certainty import say_certainty
from reports.claims import Claim
from reports.dose import say_dose
from reports.expected_change import add_expected, say_changed_anyway
from reports.formats import say_formats
from reports.language import open_language, speaking
from reports.margins import say_margin
from reports.reading import Rows, read_rows
from reports.where import say_where

from .test_certainty import FEW, PLAIN, TOLD, add, agreement, expected, protected, reason

Build = Callable[..., ReportContent]
LEFT, RIGHT = "\u27e6", "\u27e7"
SOURCE = "A source of our own"
LABELS = ("Peer support", "Usual care", "felt stigma", "Felt stigma", "SSCI-8 total", "Baseline", "12 weeks",
          "26 weeks", "Age", "Week 0", SOURCE)  # fmt: skip
PLACE = {"estimand": "stigma_post", "outcome": "stigma", "timepoint": "post"}
FOUND: dict[str, Any] = PLACE | {"n": 150, "fewest": 40, "verdict": "estimated", "prespecified": False}
NUMBERS = {"value": -2.43, "conf_low": -4.21, "conf_high": -0.62}
UNCLEAR = {"value": -0.43, "conf_low": -2.21, "conf_high": 1.62}


class Marked(NullTranslations):
    """Every message between marks, and what is put into it outside of them."""

    def gettext(self, message: str) -> str:
        return LEFT + re.sub(r"(\{\w+\}|\n)", rf"{RIGHT}\1{LEFT}", message) + RIGHT

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)


def unsaid(text: str) -> str:
    """Return the words of a text that no message has and that are no label of the study."""
    rest = re.sub(f"{LEFT}[^{LEFT}{RIGHT}]*{RIGHT}", " ", text)
    for label in sorted(LABELS, key=len, reverse=True):
        rest = rest.replace(label, " ")
    return " ".join(word for word in re.findall(r"[^\W\d_]+", rest) if word not in {"and"})  # "and" is of lists


def texts_of(said: Any) -> Iterator[str]:
    """Yield every text of what a report says."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, tuple | list):
        for each in said:
            yield from texts_of(each)
    elif is_dataclass(said):
        for field in fields(said):
            if field.name not in ("id", "estimand"):
                yield from texts_of(getattr(said, field.name))


def read(content: ReportContent, *rows: Result) -> tuple[Rows, ReportContent]:
    content = replace(content, results=pd.concat([content.results, results_table(rows)], ignore_index=True))
    return read_rows(gate_results(content.results, content.plan.small_numbers.profile)), content


def everything_is_said(say: Callable[[], Any]) -> list[str]:
    """Return the texts in the marked language, none of which has a word outside of its marks."""
    with speaking(replace(open_language("en"), catalogue=Marked())):
        texts = list(texts_of(say()))
    assert texts
    assert {text: unsaid(text) for text in texts if unsaid(text)} == {}
    return texts


def told(row: Result) -> Result:
    """Return a reason whose sentence of the analysis is a message."""
    return replace(row, method=tell(row.method))


@pytest.mark.parametrize("name", TOLD)
def test_no_reason_has_a_word_of_its_own(build: Build, name: str) -> None:
    row, numbers, _ = TOLD[name]
    for rows in (numbers, FEW.get(name, [])):
        content = add(protected(build), *rows, told(row), replace(told(row), value=0))
        everything_is_said(lambda content=content: say_certainty(read(content)[0], content.plan.estimands[0], content))


@pytest.mark.parametrize("kind", ["randomised", "single_group"])
def test_no_reason_that_counts_has_a_word_of_its_own(build: Build, kind: str) -> None:
    counts = {"peer": (220, 160, 140), "usual": (231, 160, 140)}
    for smallest, estimate, p_adjusted in ((3.0, (-1.2, -4.2, 1.8), 0.1), (None, (-2.4, -4.0, -0.8), 0.06)):
        content = build(
            kind, counts=counts, smallest=smallest, estimate=estimate, p_adjusted=p_adjusted, profile="none"
        )
        content = replace(content, results=content.results[content.results["analysis"] != "score_agreement"])
        at = {"estimand": "stigma_post", "timepoint": "post"}
        reasons = [reason("missing", arm="peer", timepoint="post"), reason("imprecise", **at), reason("audit"),
                   reason("expected", **at)]  # fmt: skip
        content = add(content, *agreement(300, 120, 110), *expected(), *map(told, reasons))
        rows, first = read(content)[0], content.plan.estimands[0]
        name, about, *texts, of = everything_is_said(lambda c=content, r=rows, e=first: say_certainty(r, e, c))
        assert not of
        assert all((name, about))
        assert [PLAIN in text for text in texts] == [False] * 3 + [True]  # what was expected keeps its own sentence


REFERENCE = {"mean": 12.5, "sd": 5, "retest_correlation": 0.6, "n": 300, "n_retest": 100, "source": SOURCE}
ENTRIES = {"at least": {"at_least": 15}, "at most": {"at_most": 12}, "no border": {}, "none": None}


@pytest.mark.parametrize("name", ENTRIES)
def test_what_would_have_changed_anyway_has_no_word_of_its_own(build: Build, name: str) -> None:
    border = ENTRIES[name]
    content = build("single_group")
    outcome = content.plan.outcomes[0].model_copy(update={
        "entry": None if border is None else Entry.model_validate({"reference": REFERENCE, **border}),
        "natural_change": NaturalChange(mean=-2, sd=4, n=50, source=SOURCE),
    })  # fmt: skip
    content = replace(content, plan=content.plan.model_copy(update={"outcomes": [outcome]}))
    of = FOUND | NUMBERS | {"analysis": part.ANALYSIS, "contrast": "post - baseline"}
    ways = [(part.REGRESSION, part.BY_MEAN), (part.NATURAL, "")]
    ways = [(part.REGRESSION, part.BY_RULE), *ways] if border else ways[-1:] if border is None else ways
    rows = [Result(**of | {"statistic": statistic, "item": item, "verdict": "declared"}) for statistic, item in ways]
    for statistic, item in ways:
        judged = (part.WITHIN, part.NOT_TOLD_APART, part.MORE, part.LESS)[len(rows) % 4]
        rows.append(Result(**of | {"statistic": part.LEFT_OVER, "item": item or statistic}))
        rows.append(Result(**of | {"statistic": part.JUDGEMENT, "item": item or statistic, "method": judged}))
    refused = {"statistic": part.REGRESSION, "verdict": "refused:no_entry_rule"}
    rows.append(Result(analysis=part.ANALYSIS, **PLACE, **refused, method=part.REFUSALS["no_entry_rule"]))
    before = {"verdict": "observed", "estimand": ""}
    rows += [Result(**of | before | {"statistic": statistic}) for statistic in (part.FROM_FIRST, part.BETWEEN)]
    gated, content = read(content, *rows)
    estimand = content.plan.estimands[0]
    claim = Claim("stigma_post", "")
    everything_is_said(lambda: add_expected(claim, estimand, gated, content))
    everything_is_said(lambda: add_expected(claim, estimand, (), content))
    texts = everything_is_said(lambda: say_changed_anyway(outcome, gated, content))
    assert sum(text.endswith(f"{RIGHT}12 weeks{LEFT}{RIGHT}") for text in texts) >= 1


@pytest.mark.parametrize("kind", ["randomised", "single_group"])
@pytest.mark.parametrize("verdict", JUDGEMENTS)
def test_a_judgement_has_no_word_of_its_own(build: Build, kind: str, verdict: str) -> None:
    content = build(kind)
    margin = Margin(value=4, question="equivalence" if "equiv" in verdict else "non_inferiority", source=SOURCE)
    first = content.plan.estimands[0].model_copy(update={"margin": margin})
    content = replace(content, plan=content.plan.model_copy(update={"estimands": [first]}))
    row = Result(analysis="margin", statistic="judgement", value=JUDGEMENTS.index(verdict), **FOUND)
    refused = replace(row, verdict="refused:not_estimated", method=NOT_ESTIMATED, value=float("nan"))
    others = ([refused], [replace(row, n=9)], []) if verdict == "superior" else ()
    for rows in ([row], *others):
        gated, own = read(content, *rows)
        everything_is_said(lambda gated=gated, own=own: say_margin(own.plan.outcomes[0], gated, own))


def asks_of_sessions(build: Build) -> ReportContent:
    content = build()
    margin = Margin(value=4, question="non_inferiority", source=SOURCE)
    comparison = FormatComparison(
        id="format", outcome="stigma", arm="peer", timepoint="post", covariates=["age"], margin=margin
    )
    plan = content.plan.model_copy(update={
        "exposure_response": [ExposureResponse(id="sessions", estimand="stigma_post", arm="peer")],
        "compliers": [Compliers(id="regulars", estimand="stigma_post", attended_at_least=4)],
        "formats": [comparison],
    })  # fmt: skip
    return replace(content, plan=plan)


@pytest.mark.parametrize("found", [NUMBERS, UNCLEAR, {**UNCLEAR, "value": 0.0}, NUMBERS | {"n": 9, "fewest": 9}])
def test_sessions_and_change_have_no_word_of_their_own(build: Build, found: dict[str, Any]) -> None:
    content, of = asks_of_sessions(build), FOUND | {"analysis": "dose"} | found
    bands = [Result(**of | {"statistic": f"mean_change_{band}", "item": "sessions", "arm": "peer"}) for band in BANDS]
    slope = Result(**of | {"statistic": "slope_per_session", "item": "sessions", "arm": "peer"})
    came = Result(**of | {"statistic": "share_attended_enough", "item": "regulars", "arm": "peer", "value": 70})
    difference = Result(**of | {"statistic": "complier_difference", "item": "regulars"})
    empty = {"value": float("nan"), "verdict": "refused:no_sessions", "method": NO_DOSE["no_sessions"]}
    for rows in ([slope, *bands, difference, came], [slope, difference],
                 [replace(slope, **empty), replace(difference, **empty)]):  # fmt: skip
        gated, own = read(content, *rows)
        everything_is_said(lambda gated=gated, own=own: say_dose(own.plan.outcomes[0], gated, own))


def test_online_and_in_person_have_no_word_of_their_own(build: Build) -> None:
    content, of = asks_of_sessions(build), FOUND | {"analysis": "formats", "item": "format", "arm": "peer"}
    del of["estimand"]
    difference = Result(**of | UNCLEAR, statistic="format_difference")
    judged = Result(**of, statistic="judgement", value=JUDGEMENTS.index("superior"))
    left_out = Result(**of, statistic="left_out", value=20)
    refused = replace(difference, verdict="refused:format_too_small", method=NO_FORMATS["format_too_small"])
    for rows in ([difference, judged, left_out], [replace(difference, n=9), judged], [refused]):
        gated, own = read(content, *rows)
        everything_is_said(lambda gated=gated, own=own: say_formats(gated, own))


def test_the_heading_of_the_places_is_a_message(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reports.where.say_subgroups", lambda *_: (Claim("a", "") and None,))
    with speaking(replace(open_language("en"), catalogue=Marked())):
        section = say_where((), build())
    assert section is not None
    assert section.title == f"{LEFT}For whom, and where{RIGHT}"


def test_a_word_that_no_message_has_is_seen() -> None:
    with pytest.raises(AssertionError, match="lower"):
        everything_is_said(lambda: f"{LEFT}People scored {RIGHT}2.4 points lower{LEFT}.{RIGHT}")
