"""What the columns and the words of the published results mean, as a table to read beside them."""

from __future__ import annotations

from typing import Final

import pandas as pd

from data_contracts import shipped_contract
from reports.language import mark, say, speaking
from reports.render import Report

UNPUBLISHED: Final = ("classes", "fewest", "words")
"""Columns of the results that serve the gate and the report alone."""
_ADDED: Final = {
    "hidden": ("boolean", mark("The disclosure gate took the numbers of this row out.")),
    "at_least": (
        "number",
        mark("Where the exact number of people is withheld: the number that may be said instead."),
    ),
}
_ANALYSES: Final = {
    "flow": mark("How many people there were at each step; declared numbers come from the study definition."),
    "descriptive": mark("Observed scores: mean, standard deviation and people, by arm and timepoint."),
    "change_within_arm": mark("Observed change since the first timepoint, within each arm."),
    "composition": mark("How samples drawn anew differ in what was asked of everybody."),
    "distribution": mark("How observed scores are spread over the range of the measure."),
    "reliability": mark("How far the questions of a measure agree in this sample."),
    "items": mark("Each question of a measure on its own."),
    "score_agreement": mark("Totals that came with the data, held against those computed here."),
    "score_audit": mark("Rules by which delivered totals seem to have been computed."),
    "model": mark("Answers to the questions of the plan, and the model means behind them."),
    "quality": mark("The same answers without the answers that were flagged, or with them."),
    "delivery": mark("Sessions held and attended."),
    "certainty": mark("How sure one may be of an answer, 1 (very low) to 4 (high), and the reasons."),
    "sensitivity": mark("The same questions under other assumptions about people without a score."),
    "leavers": mark("People who left, compared with people who stayed, as they were at the start."),
    "size": mark("Standardised sizes of the answers."),
    "change_counts": mark("How many of 100 people scored better, worse, or about the same."),
    "harms": mark("What may have harmed people, as the plan names it."),
    "expected_change": mark("How much people would have changed anyway, and what remains."),
    "balance": mark("How alike the people of the arms were at the start, before and after weighting."),
    "unmeasured": mark("How strong something unmeasured would have to be to explain a difference away."),
    "margin": mark("Answers held against a margin of the plan."),
    "dose": mark("Change by how many sessions people came to."),
    "formats": mark("Online against in person."),
    "sites": mark("Sites, drawn towards their average."),
    "subgroups": mark("The same question for parts of the people, as the plan names them."),
    "mediation": mark("How far a difference runs through another measure."),
    "precision": mark("The smallest change that the data could have shown."),
    "permutation": mark("What chance alone would give, by drawing the arms again."),
    "themes": mark("What people said in interviews: who spoke of a theme, and how far the coders agree."),
    "deviations": mark("What is not as in the frozen plan."),
}
_VERDICTS: Final = {
    "estimated": mark("A model or an estimator gave the number."),
    "observed": mark("The number describes the data."),
    "declared": mark("The number stands in the study definition or the plan."),
    "refused:...": mark("Not computed, because the data or the design cannot bear it; the method says why."),
    "failed:...": mark("The computation did not succeed; the method says why."),
}


def published_results(report: Report) -> pd.DataFrame:
    """Return the gated results as they leave in files: without the columns that serve the gate alone."""
    return report.gated.drop(columns=[name for name in UNPUBLISHED if name in report.gated])


def describe_results(report: Report) -> pd.DataFrame:
    """Return the codebook of `published_results`.

    Returns
    -------
    DataFrame
        ``part`` (column, analysis or verdict), ``name``, ``type`` of a column, ``meaning`` in the language of the
        report; only analyses that the results hold.
    """
    table = shipped_contract("results").table
    columns = {known.name: (known.logicalType, known.description) for known in table.properties} | _ADDED
    held = set(report.gated["analysis"])
    lines = [("column", name, *columns[name]) for name in published_results(report).columns]
    lines += [("analysis", name, "", meaning) for name, meaning in _ANALYSES.items() if name in held]
    lines += [("verdict", name, "", meaning) for name, meaning in _VERDICTS.items()]
    with speaking(report.content.language):
        said = [(part, name, kind, say(meaning)) for part, name, kind, meaning in lines]
    return pd.DataFrame(said, columns=["part", "name", "type", "meaning"])
