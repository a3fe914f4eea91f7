"""What the programme is and how it is given, in the words of the study, after the points of the TIDieR checklist.

References
----------
Hoffmann TC, Glasziou PP, Boutron I, et al. (2014). Better reporting of interventions: template for intervention
description and replication (TIDieR) checklist and guide. BMJ 348, g1687. doi 10.1136/bmj.g1687
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reports.content import ReportContent
from reports.language import mark, say, say_list

PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "why": (mark("Idea behind it"), mark("what idea is behind it")),
    "materials": (mark("Materials"), mark("which materials are used")),
    "procedures": (mark("What is done"), mark("what is done")),
    "provider": (mark("Who provides it"), mark("who provides it, and with what training")),
    "mode": (mark("How people meet"), mark("how people meet")),
    "place": (mark("Where"), mark("where it takes place")),
    "schedule": (mark("When and how much"), mark("when it is given, and how much of it")),
    "tailoring": (mark("What is fitted to the person"), mark("what is fitted to the person")),
    "modifications": (mark("What was altered on the way"), mark("what was altered on the way")),
    "fidelity_planned": (mark("How it is kept to the plan"), mark("how it is kept to the plan")),
    "fidelity_assessed": (mark("How far it was kept to the plan"), mark("how far it was kept to the plan")),
}
"""Part of a description -> its name, and the question that stays open where the study does not tell it."""


def describe_programme(content: ReportContent) -> tuple[tuple[str, str], ...]:
    """Return the parts that the study tells: name of the part, and the words of the study."""
    told = [(say("The programme"), content.programme)] if content.programme else []
    told += [
        (say(name), content.delivered_as[part]) for part, (name, _) in PARTS.items() if part in content.delivered_as
    ]
    return tuple(told)


def say_undescribed(content: ReportContent) -> str:
    """Return in one sentence what the study does not tell of the programme; nothing where it tells all."""
    if not content.delivered_as and not content.programme:
        return say("The study does not describe the programme.")
    if not content.delivered_as:
        return say("Beyond that, the study does not describe how the programme is given.")
    silent = [say(question) for part, (_, question) in PARTS.items() if part not in content.delivered_as]
    return say("What the study does not tell of the programme: {parts}.", parts=say_list(silent)) if silent else ""
