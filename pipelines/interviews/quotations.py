"""Quotations: which of them may be kept. What may not is never stored, and no message holds a word of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from typing import Final

import numpy as np
import pandas as pd

from data_contracts import SetAside
from pipelines.interviews.lines import NO, NO_THEME, UNKNOWN, YES
from pipelines.texts import plain_label

MOST_CHARACTERS: Final = 1000
"""Longest text that is a quotation: a longer one tells a life, by which a person is known."""
_FORM: Final = "A quotation that can be traced to a person is not shown: leave the telling words out of it."
_REASONS: Final = {
    "no_consent": (
        "There is no consent to quote: the row tells none, or another row of the excerpt or of the same words says no.",
        "Nothing to do: the judgement is used, the words are not kept.",
    ),
    "known_consent": (
        "The code of the consent is not one that the study declares.",
        "Correct the code, or add it to 'consented: values' in study.yaml.",
    ),
    "quotation_without_theme": (
        "The quotation stands in a row without a theme.",
        "Nothing to do; or move it to the row of a theme that it shows.",
    ),
    "looks_personal": (
        "The quotation holds what looks like an e-mail address, a link, a phone number or another long number.",
        _FORM,
    ),
    "names_a_participant": ("The quotation holds the id of a participant.", _FORM),
    "quotation_too_long": (
        f"The quotation is longer than {MOST_CHARACTERS:,} characters.",
        "Quote the sentences that matter.",
    ),
}
"""Rule -> why a quotation is set aside, and what to do."""
_PERSONAL: Final = (
    re.compile("@"),
    re.compile(r"(?:\bat\b|\(at\)|\[at\])\s*[\w-]+\s*(?:\bdot\b|\(dot\)|\[dot\])\s*[a-z]{2,}", re.IGNORECASE),
    re.compile(r"(?:https?|ftp)\s*:|\bwww\.|\b(?:[a-z0-9-]+\.)+[a-z]{2,24}(?:/|\b(?=[^\w]|$))", re.IGNORECASE),
    re.compile(r"\d(?:[\s().+/-]{0,3}\d){5,}"),
)
"""An e-mail address, one spelled out, a link or the name of a host, six digits or more with what parts them."""


def choose_quotations(
    lines: pd.DataFrame, told: pd.DataFrame, ids: Collection[str]
) -> tuple[pd.DataFrame, list[SetAside]]:
    """Return the quotations that may be kept, and a line for each cell that may not.

    Parameters
    ----------
    lines : DataFrame
        The judgements that are used: source, source_row, participant_id, excerpt, theme, quotation, consented,
        quotation_column.
    told : DataFrame
        All rows of the files, with the same columns: a "no" counts even where its row cannot be used.
    ids : collection of str
        Ids of participants as delivered: a quotation that holds one names somebody.

    Returns
    -------
    DataFrame
        theme, text, source, source_row: within a theme one of each person first, then further ones, each in the order
        of the files.
    list of SetAside
        Of severity ``cell``: the judgement of the row stays.
    """
    quoted = lines[lines["quotation"] != ""]
    said = quoted["quotation"].map(plain_label)
    refused = told[told["consented"] == NO]
    is_refused = quoted["excerpt"].isin(set(refused["excerpt"]) - {""})
    is_refused |= said.isin({plain_label(text) for text in refused["quotation"]} - {""})
    names = _telling(ids)
    rules = [
        _judge(text, theme, consent, refused=no, names=names)
        for text, theme, consent, no in zip(
            quoted["quotation"], quoted["theme"], quoted["consented"], is_refused, strict=True
        )
    ]
    aside = [
        SetAside(
            str(row["source"]), int(row["source_row"]), str(row["quotation_column"]), rule, "cell", *_REASONS[rule]
        )
        for row, rule in zip(quoted.to_dict("records"), rules, strict=True)
        if rule
    ]
    kept = quoted[np.array([not rule for rule in rules], dtype=bool)]
    kept = kept.assign(said=kept["quotation"].map(plain_label)).drop_duplicates(["theme", "said"])
    turn = kept.groupby(["theme", "participant_id"], sort=False).cumcount()
    ordered = kept.loc[turn.sort_values(kind="stable").index].rename(columns={"quotation": "text"})
    return ordered[["theme", "text", "source", "source_row"]].reset_index(drop=True), aside


def _judge(text: str, theme: str, consent: str, *, refused: bool, names: Collection[str]) -> str:
    """Return the rule by which a quotation is set aside, or nothing."""
    if consent == UNKNOWN:
        return "known_consent"
    if consent != YES or refused:
        return "no_consent"
    if theme == NO_THEME:
        return "quotation_without_theme"
    if looks_personal(text):
        return "looks_personal"
    if _names_somebody(text, names):
        return "names_a_participant"
    return "quotation_too_long" if len(text) > MOST_CHARACTERS else ""


def looks_personal(text: str) -> bool:
    """Tell whether a text holds what looks like an e-mail address, a link, a phone number or a long number."""
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(letter for letter in plain if unicodedata.category(letter) != "Cf")  # joiners, unseen
    return any(pattern.search(plain) for pattern in _PERSONAL)


def _telling(ids: Collection[str]) -> list[str]:
    """Return the ids that can be told from other words: a short number or word is too common."""
    known = {plain_label(one) for one in ids}
    return [one for one in known if len(one) >= 4 or (len(one) == 3 and not one.isdigit() and not one.isalpha())]


def _names_somebody(text: str, ids: Collection[str]) -> bool:
    plain = plain_label(text)
    return any(one in plain and re.search(rf"(?<!\w){re.escape(one)}(?!\w)", plain) for one in ids)
