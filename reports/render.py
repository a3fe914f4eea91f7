"""From content to one self-contained HTML file."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Final

import pandas as pd

from instruments.wording import item_label
from reports.content import ReportContent
from reports.deviations import quoted_deviations
from reports.disclosure import gate_results
from reports.errors import ReportError
from reports.expected_change import quoted_sources
from reports.figures import CONFIG
from reports.harms import quoted_harms
from reports.house_style import wearing
from reports.language import language_spoken, speaking
from reports.lint import lint_claims
from reports.margins import quoted_margins
from reports.own_words import texts_of_study, translate_content
from reports.people_words import quoted_words
from reports.sites import quoted_sites
from reports.summarise import ReportView, summarise_report
from reports.templating import open_templates, template_sources
from reports.themes_gate import choose_quoted

_WITHOUT_MARK_UP: Final = str.maketrans("<>&", ".,/")
"""Base 85 takes a twentieth less room than base 64; what a page reads as mark-up is written otherwise."""
MOST_WORDS_OF_A_NAME: Final = 3


@dataclass(frozen=True, slots=True)
class Report:
    """A report that is gated and put into words: every format prints this, and nothing else.

    Attributes
    ----------
    content : ReportContent
        What it was made from; the labels in the language of the report. Its `results` are not gated: no format reads
        them.
    gated : DataFrame
        The results that may leave.
    view : ReportView
        Sentences, figures and tables in their order.
    renamed : Report or None
        The same with neutral names, where a short name of the study is a word that claims: the lint of each format
        reads both, for a name exempts its word wherever it stands, in a sentence of ours too.
    """

    content: ReportContent
    gated: pd.DataFrame
    view: ReportView
    renamed: Report | None = None


def prepare_report(content: ReportContent) -> Report:
    """Gate the results and put them into words.

    Parameters
    ----------
    content : ReportContent
        Its results pass the disclosure gate here, by the profile of the plan.

    Raises
    ------
    ReportError
        The profile is unknown or protects fewer people than that of an earlier release, or so few came or left since
        then that they would stand out.
    """
    gated = gate_results(content.results, content.plan.small_numbers.profile, content.earlier)
    content = replace(content, quotations=choose_quoted(gated, content.quotations))
    report = _put_into_words(content, gated)
    names = {text: f"N{number}" for number, text in enumerate(_claiming_names(content), 1)}
    if not names:
        return report
    language = replace(content.language, own={**content.language.own, **names})
    return replace(report, renamed=_put_into_words(replace(content, language=language), gated))


def _put_into_words(content: ReportContent, gated: pd.DataFrame) -> Report:
    content = translate_content(content)
    with speaking(content.language), wearing(content.style):
        return Report(content, gated, summarise_report(content, gated))


def _claiming_names(content: ReportContent) -> Iterator[str]:
    """Yield the short texts of a study that the lint would find if they were ours; long ones hide no sentence."""
    for text in texts_of_study(content):
        printed = content.language.own.get(text, text)
        if len(printed.split()) <= MOST_WORDS_OF_A_NAME:
            try:
                lint_claims(printed, content.design.kind, language=content.language.tag)
            except ReportError:
                yield text


def render_report(content: ReportContent) -> str:
    """Gate, summarise, render and lint a report.

    Parameters
    ----------
    content : ReportContent
        Its results pass the disclosure gate here, by the profile of the plan.

    Returns
    -------
    str
        One HTML page that asks for nothing from outside; the same content gives the same text.

    Raises
    ------
    ReportError
        The profile is unknown, or a sentence claims more than the design allows.
    """
    return render_page(prepare_report(content))


def render_page(report: Report) -> str:
    """Return a prepared report as one HTML page, linted; errors as of `render_report`."""
    with speaking(report.content.language), wearing(report.content.style):
        page = _fill(report.content, report.view)
    lint_report(page, report)
    if report.renamed:
        render_page(report.renamed)
    return page


def lint_report(text: str, report: Report) -> None:
    """Refuse what any format of a report says beyond what its design and its results allow.

    Raises
    ------
    ReportError
        A sentence claims more than the design allows.
    """
    content = report.content
    causal = [claim.sentence for card in report.view.cards for claim in card.claims if claim.is_causal]
    quoted = [*quoted_strings(content), *causal]
    lint_claims(text, content.design.kind, quoted=quoted, language=content.language.tag)


def quoted_strings(content: ReportContent) -> list[str]:
    """Return every string that the study or an instrument brings along and the report quotes as it is."""
    design = content.design
    quoted = [content.title, content.question, content.programme, content.sponsor, content.evaluator]
    quoted += [*content.delivered_as.values(), *content.statements.values()]
    for labelled in (design.arms, design.timepoints, design.covariates):
        quoted += [thing.label for thing in labelled]
    for measure in design.measures.values():
        capitalised = measure.concept[:1].upper() + measure.concept[1:]
        quoted += [measure.label, measure.concept, capitalised]
    for instrument in content.instruments.values():
        quoted += [
            instrument.name,
            instrument.short_name,
            instrument.recall_period,
            instrument.citation.text,
            instrument.citation.doi,
            instrument.licence.terms,
            *(instrument.facts[name].source for name in ("variant",) if name in instrument.facts),
            *(item_label(item, content.wording.get(instrument.id)) for item in instrument.items),
        ]
    quoted += [population.label for population in content.plan.populations]
    quoted += [wording.holder for wording in content.wording.values()]
    quoted += [
        outcome.smallest_meaningful_change.source
        for outcome in content.plan.outcomes
        if outcome.smallest_meaningful_change
    ]
    quoted += quoted_sources(content)
    quoted += [outcome.reliable_change.source for outcome in content.plan.outcomes if outcome.reliable_change]
    quoted += quoted_deviations(content)
    quoted += quoted_harms(content)
    quoted += [*quoted_margins(content), *quoted_sites(content)]
    quoted += quoted_words(content)
    return [*quoted, *content.provenance["fingerprints"], *content.provenance["versions"]]


def _fill(content: ReportContent, view: ReportView) -> str:
    """Fill the template; styles and scripts are ours, everything else is escaped."""
    boot = template_sources()["boot.js"]
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_fingerprint(boot)} {_fingerprint(_plotly_script())}",
            "style-src 'unsafe-inline'",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return (
        open_templates()
        .get_template("report.html")
        .render(
            content=content,
            view=view,
            policy=policy,
            config=CONFIG,
            language=language_spoken(),
            plotly=_packed_plotly(),
            boot=boot,
        )
    )


@cache
def _plotly_script() -> str:
    """Return plotly.js as the installed plotly package holds it."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


@cache
def _packed_plotly() -> str:
    packed = gzip.compress(_plotly_script().encode(), compresslevel=9, mtime=0)
    return base64.b85encode(packed).decode("ascii").translate(_WITHOUT_MARK_UP)


@cache
def _fingerprint(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode('ascii')}'"
