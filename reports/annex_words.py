"""What the method annex says in words: instruments, models, and what became of the rows that were read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from instruments import Instrument
from reports.claim_sentences import capital, join_sentences
from reports.content import ReportContent
from reports.language import say, say_list
from reports.numbers import say_portion
from reports.reading import Rows, pick, pick_one


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentFacts:
    """An instrument for the annex; `terms`, `citation` and `doi` are quoted in English as its definition has them.

    No `terms` where they say no more than the licence.
    """

    name: str
    status: str
    licence: str
    terms: str
    citation: str
    doi: str


def describe_instrument(instrument: Instrument) -> InstrumentFacts:
    """Return what the annex says of an instrument."""
    status = [
        say("Draft: part of the scoring is not confirmed by a source.")
        if instrument.is_draft
        else say("Scoring confirmed.")
    ]
    if "variant" in instrument.facts:
        status.append(say("Form: {source}.", source=instrument.facts["variant"].source.removesuffix(".")))
    return InstrumentFacts(
        name=say("{name} ({short_name})", name=instrument.name, short_name=instrument.short_name),
        status=" ".join(status),
        licence=say("Licence: {licence}.", licence=say(instrument.licence.in_words)),
        terms="" if _is_said_by(instrument.licence.in_words, instrument.licence.terms) else instrument.licence.terms,
        citation=instrument.citation.text,
        doi=instrument.citation.doi,
    )


def _is_said_by(licence: str, terms: str) -> bool:
    """Tell whether the terms of a licence say no more than its name."""
    return terms.strip().removesuffix(".").casefold() == licence.casefold()


def list_models(rows: Rows, content: ReportContent) -> tuple[tuple[str, str], ...]:
    """Return the measures of each model and the model in words, the same words once, and how sites enter them."""
    measures: dict[str, dict[str, None]] = {}
    for row in pick(rows, analysis="model", verdict="estimated"):
        label = content.plan.measure_of(row.outcome, content.design).label
        measures.setdefault(row.told, {})[label] = None
    models = tuple((say_list(labels), words) for words, labels in measures.items())
    return (*models, *_sites_in_models(rows)) if models else ()


def _sites_in_models(rows: Rows) -> tuple[tuple[str, str], ...]:
    """Return how sites enter the models of outcomes, and the model of how sites differ; nothing without sites."""
    if not pick(rows, analysis="sites", statistic=("sites", "site_spread")):
        return ()
    main = say(
        "The models of outcomes hold no term for the site: that people of one site may be more alike is not allowed "
        "for."
    )
    apart = pick_one(rows, analysis="sites", statistic="site_icc", verdict="estimated")
    how = "" if apart is None else say("How sites differ comes from a model of its own: {model}.", model=apart.told)
    return ((say("Sites"), join_sentences(main, how)),)


def account_for_rows(content: ReportContent) -> Iterator[str]:
    """Yield what became of the rows that were read, in words: rows are answers of people, and shares tell counts."""
    table = content.reconciliation
    read = int(table["rows_read"].sum())
    set_aside, excluded = int(table["rows_quarantined"].sum()), int(table["rows_excluded"].sum())
    yield _say_set_aside(set_aside, read)
    yield _say_left_out(excluded, read)
    if read == int(table["rows_accepted"].sum()) + set_aside + excluded:
        yield say("All rows read are accounted for: the sum was checked.")
    else:
        yield say("The rows that were read do not add up: some are not accounted for.")
    if content.cells_quarantined:
        cells = say("Some single answers were set aside in rows that were used.")
    else:
        cells = say("No single answer was set aside in rows that were used.")
    yield f"{cells} {say('The evaluation team holds the list of rows and reasons.')}"


def _say_set_aside(count: int, read: int) -> str:
    if not count:
        return say("No row that was read broke a rule.")
    portion = say_portion(count, read)
    return capital(say("{portion} of the rows that were read broke a rule and were set aside.", portion=portion))


def _say_left_out(count: int, read: int) -> str:
    if not count:
        return say("No row was left out.")
    portion = say_portion(count, read)
    words = say("{portion} of the rows were left out: blank, unfinished, no answer of a person, or told before.",
                portion=portion)  # fmt: skip
    return capital(words)
