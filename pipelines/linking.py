"""Participants across files: pseudonyms, duplicates, and what each row tells of a participant."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import pandas as pd

from data_contracts.errors import Problem
from data_contracts.quarantine import SetAside
from pipelines.consistency import ROLES
from pipelines.errors import PipelineError

KEY_BYTES = 32
PSEUDONYM_DIGITS = 24
PLACE_PREFIX = {"group": "g_", "site": "s_"}
"""Roles whose codes may be names of people or places, and what their pseudonyms begin with."""


def load_key(path: Path) -> bytes:
    """Return the secret of the pseudonyms; it is made at the first use, readable by its owner only.

    Raises
    ------
    PipelineError
        The file is there but holds no key, or cannot be made.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as handle:
                handle.write(secrets.token_hex(KEY_BYTES))
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError):
        key = b""
    if len(key) < KEY_BYTES:
        raise PipelineError(
            Problem(
                "key_unusable",
                "The file with the key of the pseudonyms cannot be read, made or used.",
                "Set PEERIMPACT_KEY_FILE to a file of 64 hexadecimal digits, or to a new path.",
                str(path),
            )
        )
    return key


def pseudonymise(ids: pd.Series, study: str, key: bytes, *, prefix: str = "p_") -> pd.Series:
    """Return a pseudonym for each id: a prefix and 24 hexadecimal digits; empty text stays empty.

    HMAC-SHA-256 (RFC 2104) with a key derived for the study, so that pseudonyms of two studies cannot be joined.
    Spaces around an id do not count; everything else does.

    Raises
    ------
    PipelineError
        Two ids have the same pseudonym.
    """
    own_key = hmac.digest(key, study.encode(), hashlib.sha256)
    known = {value: _pseudonym(value.strip(), own_key, prefix) for value in ids.unique()}
    spelled = {value.strip() for value in known if value.strip()}
    if len({pseudonym for pseudonym in known.values() if pseudonym}) != len(spelled):
        raise PipelineError(
            Problem("pseudonyms_collide", "Two participants have the same pseudonym.", "Use another key.")
        )
    return ids.map(known).astype("str")


def set_aside_identical(deliveries: pd.DataFrame) -> list[SetAside]:
    """Return a line for each row that tells again what an earlier row of the same participant and timepoint told.

    Parameters
    ----------
    deliveries : DataFrame
        With source, source_row, participant_id, timepoint, topic, ``answers`` (items and scores in one text), and
        what else rows tell: arm, group, site, ``setting``. Rows with the same answers that contradict each other in
        the rest are not identical; a row that is silent about it contradicts nobody.
    """
    told = deliveries[deliveries["participant_id"] != ""]
    same = ["participant_id", "timepoint", "topic", "answers"]
    rest = pd.concat([told[[*ROLES]], _settings(told["setting"])], axis=1)
    rest = rest.where(rest != "")
    told = told.loc[rest.notna().sum(axis=1).sort_values(ascending=False, kind="stable").index]  # who tells most stays
    rest = rest.loc[told.index]
    different = rest.groupby([told[column] for column in same]).transform("nunique")
    repeated = told.duplicated(same) & (different <= 1).all(axis=1)
    whole = repeated.groupby([told["source"], told["source_row"]], sort=False).transform("all")
    rows = told[whole].drop_duplicates(["source", "source_row"]).sort_index()
    return [
        SetAside(
            source,
            int(row),
            "",
            "identical_duplicate",
            "excluded",
            "The row tells the same as an earlier row.",
            "Nothing to do: the earlier row is used.",
        )
        for source, row in zip(rows["source"], rows["source_row"], strict=True)
    ]


def _settings(setting: pd.Series) -> pd.DataFrame:
    """Return a column for each thing that settings tell, blank where one does not tell it."""
    parts = [
        {name: value for name, found, value in (part.partition("=") for part in text.split("\x1f")) if found}
        for text in setting
    ]
    names = list(dict.fromkeys(name for each in parts for name in each))
    return pd.DataFrame(
        {f"setting {name}": [each.get(name, "") for each in parts] for name in names}, index=setting.index
    )


def count_told(deliveries: pd.DataFrame, column: str) -> pd.Series:
    """Return for each row how many different values of `column` the participant's rows tell: none, one or several."""
    told = deliveries[column].where(deliveries[column] != "")
    counts = told.groupby(deliveries["participant_id"]).transform("nunique").fillna(0)
    words = counts.clip(upper=2).map({0: "none", 1: "one", 2: "several"}).astype("str")
    return words.where(deliveries["participant_id"] != "", "one")  # a row without an id has its own rule


def _pseudonym(value: str, key: bytes, prefix: str) -> str:
    return f"{prefix}{hmac.digest(key, value.encode(), hashlib.sha256).hex()[:PSEUDONYM_DIGITS]}" if value else ""
