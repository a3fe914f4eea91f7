"""A report as data: gated rows and labels become the parts that the template prints, nothing is computed after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from analysis.design import StudyDesign
from analysis.plan import Outcome
from instruments import Instrument
from reports import annex_tables, tables
from reports.cells import Table
from reports.certainty import say_certainty
from reports.claims import ALONE, Claim, join_words, make_claim, say_direction
from reports.content import ReportContent
from reports.delivery import Delivery, say_delivery
from reports.deviations import add_prespecified
from reports.expected_change import add_expected
from reports.instrument_tables import instrument_tables
from reports.numbers import format_threshold, say_portion, unit_of
from reports.overview import DESIGNS, Headings, headings_of, say_limits, say_next_steps, say_who_came
from reports.parts import (
    ANNEX_BLOCKS,
    ANNEX_FIGURES,
    BLOCK_FIGURES,
    CARD_BLOCKS,
    CARD_FIGURES,
    OUTCOMES_FIGURES,
    PEOPLE_BLOCKS,
    PEOPLE_FIGURES,
    SECTION_FIGURES,
    SECTIONS,
)
from reports.quality import add_flagged, flags_table, reasons_table
from reports.reading import Rows, pick, pick_one, read_rows
from reports.sections import Block, Illustration, Section
from reports.verdict_tables import verdict_tables

SYNTHETIC: Final = "Synthetic example: invented people, invented answers"
NOT_FOR_RELEASE: Final = "Not for release: small numbers are not protected in this copy"


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure one may be of an outcome: `name` in words, `level` 1 to 4 (0 not rated), `reasons` as sentences."""

    name: str
    level: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResponseBar:
    """Share of an arm that answered at a timepoint (percent, for a bar's width), in the words of the flow table."""

    label: str
    percent: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCard:
    """One outcome: what is said, drawn, tabled and known of it."""

    id: str
    heading: str
    role: str
    claims: tuple[Claim, ...]
    certainty: Certainty
    illustrations: tuple[Illustration, ...]
    tables: tuple[Table, ...]
    further: tuple[Table, ...]
    facts: tuple[str, ...]
    blocks: tuple[Block, ...] = ()
    observed: str = "Observed scores and change within each arm"
    alone: str = ALONE


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentFacts:
    """An instrument for the annex."""

    name: str
    licence: str
    terms: str
    citation: str
    doi: str
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """Everything that the template prints, in its order."""

    banners: tuple[str, ...]
    headings: Headings
    design: str
    who_came: tuple[str, ...]
    headline: OutcomeCard
    limits: tuple[str, ...]
    next_steps: tuple[str, ...]
    delivery: Delivery | None
    flow: Table
    bars: tuple[ResponseBar, ...]
    people_figures: tuple[Illustration, ...]
    people_blocks: tuple[Block, ...]
    outcomes_figures: tuple[Illustration, ...]
    cards: tuple[OutcomeCard, ...]
    sections: tuple[Section, ...]
    annex_blocks: tuple[Block, ...]
    instruments: tuple[InstrumentFacts, ...]
    annex: tuple[Table, ...]
    annex_figures: tuple[Illustration, ...]
    models: tuple[tuple[str, str], ...]
    estimates: Table
    verdicts: tuple[Table, ...]
    rows_account: tuple[str, ...]
    quality: tuple[Table, ...]
    provenance: tuple[Table, ...]

    @property
    def has_figures(self) -> bool:
        """Whether anything is drawn."""
        drawn: list[tuple[Illustration, ...]] = [self.people_figures, self.outcomes_figures, self.annex_figures]
        blocks = [*self.people_blocks, *self.annex_blocks]
        for card in self.cards:
            drawn.append(card.illustrations)
            blocks += card.blocks
        for section in self.sections:
            drawn.append(section.illustrations)
            blocks += section.blocks
        return any((*drawn, *(block.illustrations for block in blocks)))


def summarise_report(content: ReportContent, gated: pd.DataFrame) -> ReportView:
    """Return the parts of a report.

    Parameters
    ----------
    content : ReportContent
        Labels, design and plan; its `results` are not read here.
    gated : DataFrame
        What `gate_results` let through.
    """
    rows, design, plan = read_rows(gated), content.design, content.plan
    cards = tuple(_card(outcome, rows, content) for outcome in plan.outcomes)
    headline = next(card for card in cards if card.id == plan.primary.id)
    banners = [SYNTHETIC] if content.synthetic else []
    if plan.small_numbers.profile == "none":
        banners.append(NOT_FOR_RELEASE)
    return ReportView(
        banners=tuple(banners),
        headings=headings_of(design),
        design=DESIGNS[design.kind],
        who_came=say_who_came(rows, content),
        headline=headline,
        limits=say_limits(content),
        next_steps=say_next_steps(rows, content, headline.claims),
        delivery=say_delivery(rows, design),
        flow=tables.flow_table(rows, design, plan),
        bars=tuple(_bars(rows, design)),
        people_figures=tuple(each for draw in PEOPLE_FIGURES for each in draw(rows, content)),
        people_blocks=tuple(block for tell in PEOPLE_BLOCKS for block in tell(rows, content)),
        outcomes_figures=tuple(each for draw in OUTCOMES_FIGURES for each in draw(rows, content)),
        cards=cards,
        sections=tuple(_sections(rows, content)),
        annex_blocks=tuple(block for tell in ANNEX_BLOCKS for block in tell(rows, content)),
        instruments=tuple(_instrument(content.instruments[name]) for name in content.instruments),
        annex=instrument_tables(rows, content),
        annex_figures=tuple(each for draw in ANNEX_FIGURES for each in draw(rows, content)),
        models=_models(rows, content),
        estimates=annex_tables.estimates_table(rows, content),
        verdicts=verdict_tables(content.verdicts, plan.small_numbers.profile),
        rows_account=tuple(_account(content)),
        quality=tuple(table for table in (reasons_table(content), flags_table(rows, content)) if table.rows),
        provenance=(
            annex_tables.versions_table(content.provenance["versions"], "Software", ("Name", "Version")),
            annex_tables.versions_table(
                content.provenance["fingerprints"], "Fingerprints of what went in", ("File", "SHA-256")
            ),
        ),
    )


def _card(outcome: Outcome, rows: Rows, content: ReportContent) -> OutcomeCard:
    design = content.design
    measure = content.plan.measure_of(outcome.id, design)
    means = pick(rows, analysis="model", statistic="marginal_mean", outcome=outcome.id)
    claims = tuple(
        add_prespecified(
            add_flagged(
                add_expected(make_claim(estimand, rows, content), estimand, rows, content), estimand, rows, content
            ),
            estimand,
            rows,
            content,
        )
        for estimand in content.plan.estimands
        if estimand.outcome == outcome.id
    )
    first = [tables.means_table(means, design, measure)] if means else []
    further = (
        tables.observed_table(rows, design, outcome.id, measure),
        tables.composition_table(rows, design, outcome.id)
        if design.is_resampled
        else tables.changes_table(rows, design, outcome.id, measure),
    )
    return OutcomeCard(
        id=outcome.id,
        heading=f"{measure.concept[0].upper()}{measure.concept[1:]}",
        role=outcome.role,
        claims=claims,
        certainty=Certainty(*say_certainty(rows, outcome.id, content)),
        illustrations=tuple(each for draw in CARD_FIGURES for each in draw(outcome, rows, content)),
        tables=(*first, tables.contrasts_table(rows, content, outcome.id, measure)),
        further=tuple(table for table in further if table.rows),
        facts=tuple(_facts(outcome, content)),
        blocks=tuple(_blocks(outcome, rows, content)),
        **_words_beside_observed(outcome, design),
    )


def _words_beside_observed(outcome: Outcome, design: StudyDesign) -> dict[str, str]:
    """Return what the description of an outcome is called, where it is not about change of scores within arms."""
    what = "Observed scores" if outcome.event is None else "Observed shares"
    if design.is_resampled:
        return {"observed": f"{what}, and how the samples compare", "alone": ""}
    return {} if outcome.event is None else {"observed": what, "alone": ""}


def _blocks(outcome: Outcome, rows: Rows, content: ReportContent) -> Iterator[Block]:
    for tell in CARD_BLOCKS:
        block = tell(outcome, rows, content)
        if block is not None:
            draw = BLOCK_FIGURES.get(tell)
            drawn = draw(outcome, rows, content) if draw else ()
            yield replace(block, illustrations=(*block.illustrations, *drawn))


def _sections(rows: Rows, content: ReportContent) -> Iterator[Section]:
    for tell in SECTIONS:
        section = tell(rows, content)
        if section is not None:
            draw = SECTION_FIGURES.get(section.id)
            yield replace(section, illustrations=draw(rows, content)) if draw else section


def _facts(outcome: Outcome, content: ReportContent) -> Iterator[str]:
    """Yield what an instrument measures, which way is good, and what a meaningful difference is."""
    measure = content.plan.measure_of(outcome.id, content.design)
    instrument = content.instruments.get(measure.instrument or "")
    if instrument is not None:
        recall = f", about the {instrument.recall_period}" if instrument.recall_period else ""
        what = "is the score of" if measure.unit == "points" else "is counted from the score of"
        yield f"{measure.label} {what} the {instrument.name} ({instrument.short_name}){recall}."
    else:
        yield f"{measure.label} was delivered with the data; its answers were not seen."
    yield say_direction(measure)
    smallest = outcome.smallest_meaningful_change
    if smallest is not None:
        yield (
            f"Smallest difference that people notice: {format_threshold(smallest.value)}"
            f"{unit_of(measure, smallest.value)} "
            f"(source: {smallest.source})."
        )
    if instrument is not None and instrument.is_draft:
        yield "Draft: part of how this instrument is scored stands on a source still to be checked."


def _bars(rows: Rows, design: StudyDesign) -> Iterator[ResponseBar]:
    for arm in design.arms:
        allocated = pick_one(rows, analysis="flow", statistic="allocated", arm=arm.id)
        for timepoint in design.timepoints:
            answered = pick_one(rows, analysis="flow", statistic="answered", arm=arm.id, timepoint=timepoint.id)
            if answered is None or allocated is None or not allocated.n > 0:
                continue
            known = answered.n if answered.is_exact else answered.at_least
            if known == known:
                yield ResponseBar(
                    f"{arm.label}, {timepoint.label}",
                    100 * known / allocated.n,
                    tables.say_response(answered, allocated),
                )


def _instrument(instrument: Instrument) -> InstrumentFacts:
    return InstrumentFacts(
        name=f"{instrument.name} ({instrument.short_name})",
        licence=instrument.licence.in_words,
        terms=instrument.licence.terms,
        citation=instrument.citation.text,
        doi=instrument.citation.doi,
        status="; ".join(
            filter(
                None,
                [
                    "draft: part of the scoring is not confirmed by a source"
                    if instrument.is_draft
                    else "scoring confirmed",
                    f"form: {instrument.facts['variant'].source}" if "variant" in instrument.facts else "",
                ],
            )
        ),
    )


def _models(rows: Rows, content: ReportContent) -> tuple[tuple[str, str], ...]:
    """Return the measures of each model and the model in words, the same words once."""
    measures: dict[str, dict[str, None]] = {}
    for row in pick(rows, analysis="model", verdict="estimated"):
        label = content.plan.measure_of(row.outcome, content.design).label
        measures.setdefault(row.method, {})[label] = None
    return tuple((join_words(list(labels)), words) for words, labels in measures.items())


def _account(content: ReportContent) -> Iterator[str]:
    """Yield what became of the rows that were read, in words: rows are answers of people, and shares tell counts."""
    table = content.reconciliation
    read = int(table["rows_read"].sum())
    set_aside, excluded = int(table["rows_quarantined"].sum()), int(table["rows_excluded"].sum())
    holds = read == int(table["rows_accepted"].sum()) + set_aside + excluded
    yield f"{say_portion(set_aside, read)} of the rows that were read broke a rule and were set aside."
    yield f"{say_portion(excluded, read)} were left out: blank, unfinished, no answer of a person, or told before."
    yield f"All rows read are accounted for: {'the sum was checked' if holds else 'the sum does NOT hold'}."
    cells = "No single answer was" if not content.cells_quarantined else "Some single answers were"
    yield f"{cells} set aside in rows that were used. The evaluation team holds the list of rows and reasons."
