"""Texts that reach a report from files and not from code: those of the study, and ours in definitions and contracts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from analysis.design import Arm, Covariate, EventKind, Measure, StudyDesign, Timepoint
from analysis.plan import Plan
from analysis.telling import words_of
from data_contracts.model import Contract
from instruments import Instrument
from reports.content import ReportContent
from reports.language import own_words, say, say_told, speaking

_TOLD: Final = ("label", "reason", "source")
"""Keys of a plan whose text is printed."""
Labelled = TypeVar("Labelled", Arm, Covariate, EventKind, Timepoint)
Part = TypeVar("Part", bound=BaseModel)


def translate_content(content: ReportContent) -> ReportContent:
    """Return content with every label in its language.

    Parameters
    ----------
    content : ReportContent
        As the files of the study have it.

    Returns
    -------
    ReportContent
        Texts of the study as its own words in the language say them, as they are where it brings none; our concepts
        and names of measures and items as the catalogue says them. Its `language` knows both, for what the analysis
        told of them.
    """
    with speaking(content.language):
        ours = {text: say(text) for instrument in content.instruments.values() for text in texts_of(instrument)}
    own = content.language.own
    language = replace(content.language, own={**ours, **own} if ours else own)
    with speaking(language):
        return replace(
            content,
            title=own_words(content.title),
            question=own_words(content.question),
            programme=own_words(content.programme),
            sponsor=own_words(content.sponsor),
            evaluator=own_words(content.evaluator),
            delivered_as={part: own_words(text) for part, text in content.delivered_as.items()},
            statements={name: own_words(text) for name, text in content.statements.items()},
            design=_design(content.design),
            plan=_plan(content.plan),
            instruments={name: _instrument(one) for name, one in content.instruments.items()},
            quotations={theme: tuple(map(own_words, texts)) for theme, texts in content.quotations.items()},
            language=language,
        )


def texts_of_study(content: ReportContent) -> tuple[str, ...]:
    """Return every text that a study brings along and its report prints, in the order of the report, each once."""
    asked = _Asked()
    with speaking(replace(content.language, own=asked)):
        translate_content(replace(content, language=replace(content.language, own=asked), instruments={}))
    ours = {text for instrument in content.instruments.values() for text in texts_of(instrument)}
    return tuple(text for text in asked if text and text not in ours)


class _Asked(dict[str, str]):
    """Own words that remember what they were asked for."""

    def get(self, text: str, default: Any = None) -> Any:
        """Return the default, and keep the text."""
        self.setdefault(text, text)
        return default


def texts_of(instrument: Instrument) -> Iterator[str]:
    """Yield what a definition says in our words and a report prints: names and concepts of measures, items, recall."""
    for measure in instrument.measures:
        yield measure.label
        yield measure.concept
    for variant in instrument.variants:
        yield from (change.label for change in variant.measures.values() if change.label)
    yield from (item.concept for item in instrument.items)
    if instrument.recall_period:
        yield instrument.recall_period


def texts_of_contract(contract: Contract) -> Iterator[str]:
    """Yield what a contract of ours says of its rules and a report prints: name and description of each."""
    for _, rule in contract.table.rules:
        yield name_of_rule(rule.name)
        yield rule.description


def texts_of_columns(contract: Contract) -> Iterator[str]:
    """Yield what a contract of ours says of its columns and a codebook prints."""
    yield from (column.description for column in contract.table.properties)


def name_of_rule(rule: str) -> str:
    """Return the name of a rule as words."""
    return rule.replace("_", " ")


class _SpokenPlan(Plan):
    """A plan whose measures are named in the language in force."""

    def measure_of(self, outcome_id: str, design: StudyDesign) -> Measure:
        """Return the measure of an outcome, what the plan itself calls it said in the language in force."""
        measure = super().measure_of(outcome_id, design)
        return replace(
            measure,
            label=say_told(words_of(measure.label), measure.label),
            concept=say_told(words_of(measure.concept), measure.concept),
        )


def _design(design: StudyDesign) -> StudyDesign:
    return replace(
        design,
        arms=tuple(map(_labelled, design.arms)),
        timepoints=tuple(map(_labelled, design.timepoints)),
        covariates=tuple(map(_labelled, design.covariates)),
        event_kinds=tuple(map(_labelled, design.event_kinds)),
        themes=tuple(
            replace(theme, label=own_words(theme.label), definition=own_words(theme.definition))
            for theme in design.themes
        ),
        measures={
            name: replace(measure, label=own_words(measure.label), concept=own_words(measure.concept))
            for name, measure in design.measures.items()
        },
    )


def _labelled(part: Labelled) -> Labelled:
    return replace(part, label=own_words(part.label))


def _plan(plan: Plan) -> Plan:
    return _SpokenPlan.model_construct(**dict(_part(plan)))


def _part(part: Part) -> Part:
    """Return a part of a plan, and the parts of it, with labels, sources and reasons in the language in force."""
    changed: dict[str, Any] = {}
    for name, value in part:
        if name in _TOLD and isinstance(value, str):
            changed[name] = own_words(value)
        elif isinstance(value, BaseModel):
            changed[name] = _part(value)
        elif isinstance(value, list):
            changed[name] = [_part(each) if isinstance(each, BaseModel) else each for each in value]
    return part.model_copy(update=changed)


def _instrument(instrument: Instrument) -> Instrument:
    items = [item.model_copy(update={"concept": own_words(item.concept)}) for item in instrument.items]
    return instrument.model_copy(update={"items": items, "recall_period": own_words(instrument.recall_period)})
