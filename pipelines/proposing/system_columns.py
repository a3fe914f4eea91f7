"""The columns that survey systems add of their own: when, how long, how a human scores, and what nobody needs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from pipelines.sources import RawTable
from pipelines.sources.formats import Format

SYSTEM_NAMES: Final[Mapping[Format, str]] = {
    "qualtrics": "Qualtrics", "redcap": "REDCap", "kobo": "KoboToolbox", "limesurvey": "LimeSurvey",
    "google_forms": "Google Forms", "microsoft_forms": "Microsoft Forms", "fhir": "FHIR",
}  # fmt: skip
_OWN: Final[Mapping[Format, re.Pattern[str]]] = {
    "qualtrics": re.compile(
        r"StartDate|EndDate|RecordedDate|Status|Progress|Duration \(in seconds\)|Finished|Response_?ID|ResponseSet|"
        r"ExternalReference|ExternalDataReference|DistributionChannel|UserLanguage|Recipient\w+|IPAddress|Location\w+|"
        r"Q_\w+|V\d+|LocationAccuracy", re.I),
    "redcap": re.compile(r"redcap_\w+|\w+_complete|\w+_timestamp"),
    "kobo": re.compile(
        r"start|end|today|deviceid|username|simserial|subscriberid|phonenumber|audit|formhub/uuid|__version__|"
        r"meta/\w+|_\w+|KEY|SubmissionDate|SubmitterI[Dd]|SubmitterName|instanceI[Dd]|DeviceID|ReviewState|Edits|"
        r"Status|FormVersion|Attachments\w+", re.I),
    "limesurvey": re.compile(
        r"id|submitdate|lastpage|startlanguage|seed|startdate|datestamp|ipaddr|refurl|interviewtime|groupTime\w*|"
        r"\w+Time", re.I),
    "google_forms": re.compile(r"Timestamp|Zeitstempel|Marca temporal|Horodateur|Username|Score", re.I),
    "microsoft_forms": re.compile(r"ID|Start time|Completion time|Email|Name|Last modified time|Language", re.I),
    "fhir": re.compile(r"answered_on"),
}  # fmt: skip
DAY_COLUMNS: Final[Mapping[Format, tuple[str, ...]]] = {
    "qualtrics": ("StartDate", "EndDate", "RecordedDate"), "kobo": ("start", "today", "end", "_submission_time"),
    "limesurvey": ("startdate", "submitdate", "datestamp"), "google_forms": ("Timestamp", "Zeitstempel"),
    "microsoft_forms": ("Start time", "Completion time"), "fhir": ("answered_on",),
}  # fmt: skip
_DURATIONS: Final = ("Duration (in seconds)", "interviewtime", "duration")
_HUMAN_SCORES: Final = ("Q_RecaptchaScore",)
HUMAN: Final = 0.5
"""Lowest score of a probable human, as Qualtrics explains Q_RecaptchaScore."""
FEWEST_TIMES: Final = 20
"""With fewer durations their median tells too much of single people, and too little of the form."""


def own_columns(columns: Sequence[str], kind: Format) -> list[str]:
    """Return the columns that the system of a format adds by itself, in the order of the file."""
    pattern = _OWN.get(kind)
    return [column for column in columns if pattern is not None and pattern.fullmatch(column)]


def find_quality(table: RawTable) -> dict[str, dict[str, object]]:
    """Return the parts of `quality` that a file could tell: `duration`, with a third of the median time, and `bots`."""
    found: dict[str, dict[str, object]] = {}
    for column in _DURATIONS:
        if column in table.cells.columns:
            seconds = pd.to_numeric(table.cells[column], errors="coerce").dropna()
            third = int(seconds.median() // 3) if len(seconds) >= FEWEST_TIMES else 0
            if len(seconds):
                found["duration"] = {"column": column, "at_least": third or "REPLACE_ME"}
                break
    scores = {column: HUMAN for column in _HUMAN_SCORES if column in table.cells.columns}
    return {**found, **({"bots": dict(scores)} if scores else {})}
