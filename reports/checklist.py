"""A reporting checklist, filled from the run: which of its points this report tells, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reports import checklist_run as run
from reports import checklist_study as study
from reports.cells import Table, mark_notes
from reports.checklist_words import Find
from reports.content import ReportContent
from reports.language import mark, say
from reports.numbers import format_count
from reports.reading import Rows
from reports.sections import Block

NOT_TOLD: Final = mark("not told here")


@dataclass(frozen=True, slots=True)
class Checklist:
    """A checklist: its name, its source, and its items.

    Attributes
    ----------
    name, citation : str
        Printed as they are in every language.
    items : tuple of (str, str, Find or None)
        Number, topic in our own words (`say` it), and what tells where the report has it; None where this software
        cannot know.
    """

    name: str
    citation: str
    items: tuple[tuple[str, str, Find | None], ...]


CONSORT: Final = Checklist(
    "CONSORT 2025",
    "Hopewell et al. 2025, BMJ, doi 10.1136/bmj-2024-081123",
    (
        ("1a", mark("Design, said at the beginning"), study.tell_design),
        ("1b", mark("Summary"), study.tell_summary),
        ("2", mark("Registration"), study.stated("registration")),
        ("3", mark("Protocol and analysis plan"), study.tell_plan),
        ("4", mark("Access to data and code"), study.stated("data_access")),
        ("5a", mark("Funding"), study.stated("funding")),
        ("5b", mark("Ties and interests"), study.stated("interests")),
        ("6", mark("Background"), study.described("why")),
        ("7", mark("Questions"), study.tell_question),
        ("8", mark("Part that people concerned had in the study"), None),
        ("9", mark("Design"), study.tell_design),
        ("10", mark("What was done otherwise than planned"), run.tell_changes),
        ("11", mark("Places"), run.tell_place),
        ("12a", mark("Who could take part"), None),
        ("12b", mark("Who could provide the programme"), study.described("provider")),
        ("13", mark("What each arm was given"), study.tell_description),
        ("14", mark("Outcomes"), study.tell_outcomes),
        ("15", mark("How harms were looked for"), study.tell_harms_planned),
        ("16a", mark("How the number of people was chosen"), None),
        ("16b", mark("Looks at the data on the way, and rules for stopping"), None),
        ("17a", mark("Who drew the lots, and how"), None),
        ("17b", mark("Kind of lots"), study.tell_lots),
        ("18", mark("How the lots were kept secret"), None),
        ("19", mark("Who could see the lots"), None),
        ("20a", mark("Who did not know the arms"), None),
        ("20b", mark("How that was kept from them"), None),
        ("21a", mark("Models"), run.tell_models),
        ("21b", mark("Who is in each analysis"), run.tell_analysed),
        ("21c", mark("Missing answers"), run.tell_missing),
        ("21d", mark("Further analyses"), run.tell_further),
        ("22a", mark("People at each step"), run.tell_flow),
        ("22b", mark("Losses"), run.tell_answered),
        ("23a", mark("Days of recruitment and of the last answers"), None),
        ("23b", mark("Why the study ended"), None),
        ("24a", mark("What was given in fact"), run.tell_delivery),
        ("24b", mark("Other care that people had"), None),
        ("25", mark("People at the start"), run.tell_baseline),
        ("26", mark("Numbers analysed and estimates"), run.tell_analysed_and_estimates),
        ("27", mark("Harms"), run.tell_harms_found),
        ("28", mark("Results of further analyses"), run.tell_further),
        ("29", mark("What the results mean"), study.tell_meaning),
        ("30", mark("Limits"), study.tell_limits),
    ),
)
"""Items by number; topics are ours. Hopewell et al. 2025, doi 10.1136/bmj-2024-081123."""

TREND: Final = Checklist(
    "TREND",
    "Des Jarlais et al. 2004, American Journal of Public Health 94, 361-366, doi 10.2105/AJPH.94.3.361",
    (
        ("1", mark("Summary, and how people came into the arms"), study.tell_design),
        ("2", mark("Background"), study.described("why")),
        ("3", mark("Who could take part, and how and where people were found"), run.tell_recruitment),
        ("4", mark("What each arm was given"), study.tell_description),
        ("5", mark("Questions"), study.tell_question),
        ("6", mark("Outcomes"), study.tell_outcomes),
        ("7", mark("How the number of people was chosen"), None),
        ("8", mark("How the arms were formed"), study.tell_design),
        ("9", mark("Who did not know the arms"), None),
        ("10", mark("Unit of analysis"), run.tell_models),
        ("11", mark("Models"), run.tell_models),
        ("12", mark("People at each step"), run.tell_flow),
        ("13", mark("Days of recruitment and of the last answers"), None),
        ("14", mark("People at the start"), run.tell_baseline),
        ("15", mark("How alike the arms were at the start"), run.tell_likeness),
        ("16", mark("Numbers analysed"), run.tell_analysed),
        ("17", mark("Estimates"), run.tell_estimates),
        ("18", mark("Further analyses"), run.tell_further),
        ("19", mark("Harms"), run.tell_harms_found),
        ("20", mark("What the results mean, and their limits"), study.tell_meaning_and_limits),
        ("21", mark("Other people and places"), study.tell_elsewhere),
        ("22", mark("What other studies found"), None),
    ),
)
"""Items by number; topics are ours. Des Jarlais et al. 2004, doi 10.2105/AJPH.94.3.361."""


def checklist_of(content: ReportContent) -> Checklist:
    """Return the checklist that is meant for a design: CONSORT where lots were drawn, otherwise TREND."""
    return CONSORT if content.design.is_randomised else TREND


def say_checklist(rows: Rows, content: ReportContent) -> tuple[Block, ...]:
    """Return the checklist of a design as a table: item, topic, and where this report has it.

    Parameters
    ----------
    rows : tuple of Row
        Gated results; numbers of people in the table are those of the report's other tables.
    content : ReportContent
        Design, plan, and what the study states of itself.
    """
    checklist = checklist_of(content)
    told = [tell(rows, content) if tell else "" for _, _, tell in checklist.items]
    lines = tuple(
        (number, say(topic), where or say(NOT_TOLD))
        for (number, topic, _), where in zip(checklist.items, told, strict=True)
    )
    numbers = {"told": format_count(sum(map(bool, told))), "items": format_count(len(told))}
    lead = say("Of {items} items of the checklist {told} are told in this report.", **numbers)
    notes = (
        say(
            "“{mark}”: this report does not know it, or may not show it; it may stand elsewhere, as in a protocol.",
            mark=say(NOT_TOLD),
        ),
        say("Numbers of the items: {citation}. The topics are put in our own words.", citation=checklist.citation),
        *_extensions(content),
        *mark_notes(lines),
    )
    columns = (say("Item"), say("Topic"), say("Where in this report"))
    table = Table(say("{checklist}, item by item", checklist=checklist.name), columns, lines, notes)
    heading = say("Reporting checklist: {checklist}", checklist=checklist.name)
    caution = say("An item that is told may be told in part only. How good a study is does not follow from the count.")
    return (Block(heading=heading, sentences=(lead,), tables=(table,), caution=caution),)


def _extensions(content: ReportContent) -> tuple[str, ...]:
    if not content.design.is_cluster_randomised:
        return ()
    return (say("The additional items for studies in which groups are drawn by lot are not listed."),)
