"""A report as data: gated rows and labels become the parts that the template prints, nothing is computed after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import pandas as pd

from analysis.design import Measure
from analysis.plan import Outcome
from instruments import Instrument
from reports import annex_tables, tables
from reports.also_found import say_also_found
from reports.annex_words import InstrumentFacts, account_for_rows, describe_instrument, list_models
from reports.asked import say_question
from reports.cells import Table, rounding_notes
from reports.certainties import say_certainties
from reports.certainty import Certainty, say_certainty
from reports.claim_sentences import capital
from reports.claims import ALONE, NO_PROOF, WITHHELD, Claim, make_claim, say_direction
from reports.content import ReportContent
from reports.delivery import Delivery, say_delivery
from reports.design_words import DESIGNS, Headings, headings_of, say_observed
from reports.deviations import add_prespecified
from reports.expected_change import add_expected
from reports.instrument_tables import instrument_tables
from reports.language import mark, say
from reports.not_computed import tabulate_not_computed
from reports.not_to_conclude import say_certainty_means, say_interval_means, say_not_to_conclude
from reports.numbers import say_amount
from reports.overview import say_next_steps, say_who_came
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
from reports.reading import Rows, pick, read_rows
from reports.recruitment import recruitment_table
from reports.sections import Block, Illustration, Section
from reports.verdict_tables import verdict_tables

SYNTHETIC: Final = mark("Synthetic example: invented people, invented answers")
NOT_FOR_RELEASE: Final = mark("Not for release: small numbers are not protected in this copy")
DRAFT: Final = mark("Draft: not yet released")
_ROLES: Final = {
    "primary": mark("primary outcome"),
    "secondary": mark("secondary outcome"),
    "exploratory": mark("exploratory outcome"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeCard:
    """One outcome: what is said, drawn, tabled and known of it; `certainty` is that of its first question."""

    id: str
    heading: str
    role: str
    claims: tuple[Claim, ...]
    certainty: Certainty | None
    certainties: tuple[Certainty, ...]
    illustrations: tuple[Illustration, ...]
    tables: tuple[Table, ...]
    further: tuple[Table, ...]
    facts: tuple[str, ...]
    observed: str
    alone: str
    unobserved: str
    blocks: tuple[Block, ...] = ()

    @property
    def notes_of_all(self) -> tuple[str, ...]:
        """Notes that hold of every answer of several, which a page need not say beside each."""
        noted = [claim.notes[1:] for claim in self.claims if claim.notes]
        return tuple(note for note in noted[0] if all(note in notes for notes in noted)) if len(noted) > 1 else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """Everything that the template prints, in its order."""

    banners: tuple[str, ...]
    headings: Headings
    design: str
    who_came: tuple[str, ...]
    headline: OutcomeCard
    asked: str
    notes: tuple[str, ...]
    also_found: tuple[str, ...]
    interval_means: str
    certainty_means: str
    not_to_conclude: tuple[str, ...]
    next_steps: tuple[str, ...]
    delivery: Delivery
    flow: tuple[Table, ...]
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
    not_computed: Table
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
    first = headline.claims[0] if headline.claims else None
    level = headline.certainty.level if headline.certainty else 0
    banners = [say(SYNTHETIC)] if content.synthetic else []
    if plan.small_numbers.profile == "none":
        banners.append(say(NOT_FOR_RELEASE))
    elif content.released is None:
        banners.append(say(DRAFT))
    return ReportView(
        banners=tuple(banners),
        headings=headings_of(design),
        design=say(DESIGNS[design.kind]),
        who_came=say_who_came(rows, content),
        headline=headline,
        asked=say_question(content),
        notes=() if first is None else _notes_of_page_one(first),
        also_found=say_also_found(rows, content, {claim.estimand: claim for card in cards for claim in card.claims}),
        interval_means=say_interval_means(content, first),
        certainty_means=say_certainty_means(level),
        not_to_conclude=say_not_to_conclude(content, first, level),
        next_steps=say_next_steps(rows, content, headline.claims),
        delivery=say_delivery(rows, content),
        flow=(*recruitment_table(rows, design), tables.flow_table(rows, design, plan)),
        people_figures=tuple(each for draw in PEOPLE_FIGURES for each in draw(rows, content)),
        people_blocks=tuple(block for tell in PEOPLE_BLOCKS for block in tell(rows, content)),
        outcomes_figures=tuple(each for draw in OUTCOMES_FIGURES for each in draw(rows, content)),
        cards=cards,
        sections=tuple(_sections(rows, content)),
        annex_blocks=tuple(block for tell in ANNEX_BLOCKS for block in tell(rows, content)),
        instruments=tuple(describe_instrument(each) for each in content.instruments.values()),
        annex=instrument_tables(rows, content),
        annex_figures=tuple(each for draw in ANNEX_FIGURES for each in draw(rows, content)),
        models=list_models(rows, content),
        not_computed=tabulate_not_computed(rows, content),
        estimates=annex_tables.estimates_table(rows, content),
        verdicts=verdict_tables(content.verdicts, plan.small_numbers.profile),
        rows_account=tuple(account_for_rows(content)),
        quality=tuple(table for table in (reasons_table(content), flags_table(rows, content)) if table.rows),
        provenance=(
            annex_tables.versions_table(content.provenance["versions"], say("Software"), (say("Name"), say("Version"))),
            annex_tables.versions_table(
                content.provenance["fingerprints"], say("Fingerprints of what went in"), (say("File"), say("SHA-256"))
            ),
        ),
    )


def _notes_of_page_one(claim: Claim) -> tuple[str, ...]:
    """Return the notes of a claim without what page one says elsewhere, or leaves to the card."""
    elsewhere = (*map(say, NO_PROOF), *claim.only_in_card)
    return tuple(note for note in claim.notes if note not in elsewhere)


def _card(outcome: Outcome, rows: Rows, content: ReportContent) -> OutcomeCard:
    design = content.design
    measure = content.plan.measure_of(outcome.id, design)
    means = pick(rows, analysis="model", statistic="marginal_mean", outcome=outcome.id)
    asked = [estimand for estimand in content.plan.estimands if estimand.outcome == outcome.id]
    claims = tuple(
        add_prespecified(
            add_flagged(
                add_expected(make_claim(estimand, rows, content), estimand, rows, content), estimand, rows, content
            ),
            estimand,
            rows,
            content,
        )
        for estimand in asked
    )
    first = [tables.means_table(means, design, measure)] if means else []
    further = (
        tables.observed_table(rows, design, outcome.id, measure),
        tables.composition_table(rows, design, outcome.id)
        if design.is_resampled
        else tables.changes_table(rows, design, outcome.id, measure),
    )
    rounded = rounding_notes(content.plan.small_numbers.protection)
    told = tuple(replace(each, notes=(*rounded, *each.notes)) for each in further if tables.is_told(each))
    return OutcomeCard(
        id=outcome.id,
        heading=capital(measure.concept),
        role=say(_ROLES[outcome.role]),
        claims=claims,
        certainty=say_certainty(rows, asked[0], content) if asked else None,
        certainties=say_certainties(rows, outcome.id, content),
        illustrations=tuple(each for draw in CARD_FIGURES for each in draw(outcome, rows, content)),
        tables=tuple(
            table for table in (*first, tables.contrasts_table(rows, content, outcome.id, measure)) if table.rows
        ),
        further=told,
        facts=tuple(_facts(outcome, content)),
        blocks=tuple(_blocks(outcome, rows, content)),
        observed=say_observed(outcome, design),
        alone="" if design.is_resampled or outcome.event is not None else say(ALONE),
        unobserved="" if told else say("What was observed is not shown: {reason}.", reason=say(WITHHELD)),
    )


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
    if instrument is None:
        yield say(
            "{measure} came with the data as a score; answers to its questions were not seen.", measure=measure.label
        )
    else:
        yield " ".join(_what_is_scored(measure, instrument))
    yield say_direction(measure)
    smallest = outcome.smallest_meaningful_change
    if smallest is not None:
        yield say(
            "Smallest difference that people notice: {amount} (source: {source}).",
            amount=say_amount(smallest.value, measure),
            source=smallest.source,
        )
    if instrument is not None and instrument.is_draft:
        yield say("Draft: part of how this instrument is scored stands on a source still to be checked.")


def _what_is_scored(measure: Measure, instrument: Instrument) -> Iterator[str]:
    names = {"measure": measure.label, "instrument": instrument.name, "short_name": instrument.short_name}
    if measure.unit == "points":
        yield say("{measure} is the score of the {instrument} ({short_name}).", **names)
    else:
        yield say("{measure} is counted from the score of the {instrument} ({short_name}).", **names)
    if instrument.recall_period:
        yield say("What time its questions ask about: {time}.", time=instrument.recall_period)
