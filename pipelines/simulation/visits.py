"""Invented participants as they answer at each wave, and how their ids are typed: in many ways."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

import numpy as np
import pandas as pd

from analysis.simulation import SimulatedStudy
from instruments import Instrument
from pipelines.simulation.harbour import FIRST_DAY, TRAITS, WAVES, type_answer

LOOK_ALIKE: Final = (12, 112)
"""Participants whose ids, H012 and H12, look like one person's and are two."""
REFUSED, NOT_ASKED, NOT_ASKED_SHARE = "-9", "-8", 0.02
_SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "lower case": str.lower,
    "no letter": lambda code: code[1:],
    "no zeros": lambda code: code[0] + code[1:].lstrip("0"),
    "number only": lambda code: code[1:].lstrip("0"),
    "hyphen": lambda code: f"{code[0]}-{code[1:]}",
    "letter for a digit": lambda code: code[0] + code[1:].replace("0", "O", 1),
    "spaces": lambda code: f"  {code} ",
}
_MISSPELT: Final = (
    ("no letter", "no zeros", "number only"),
    *((how, "", "") for how in ("lower case", "hyphen", "letter for a digit", "spaces")),
    *(("", how, "") for how in ("lower case", "number only", "letter for a digit")),
    *(("", "", how) for how in ("lower case", "no zeros", "spaces", "no letter", "letter for a digit")),
)
"""How the id of one person after another is typed at each wave; blank is right."""
_ROLES: Final = (
    "mistaken", "taken_for", "repeats", "contradicts", "second_record", "slip_mended", "slip_left",
    "fast_1", "fast_2", "fast_3", "inattentive_1", "inattentive_2",
)  # fmt: skip
_WHY: Final = (
    "same telephone number as in the list of participants",
    "the right code is on the consent form",
    "the right code is on the paper form",
)


def spell_id(participant: int) -> str:
    """Return the id that a participant has in the list of participants."""
    return f"H{participant - 100}" if participant == LOOK_ALIKE[1] else f"H{participant:03}"


def simulate_visits(study: SimulatedStudy, library: Mapping[str, Instrument], rng: np.random.Generator) -> pd.DataFrame:
    """Return what participants answer, before any system has it.

    Returns
    -------
    DataFrame
        One row per participant and timepoint at which they answer: participant (1, 2, ...), participant_id, timepoint,
        answered_on, arm, group (blank in usual care), age, gender, and a column of text for each item (``phq-9 3``):
        a code, blank, refused (``-9``), or not asked (``-8``, a page that was left out after 12 weeks).
    """
    rows = []
    for place, wave in enumerate(WAVES):
        for index, person in enumerate(study.participants.itertuples()):
            if not study.observed[index, place]:
                continue
            row: dict[str, object] = {
                "participant": int(person.participant),
                "participant_id": spell_id(int(person.participant)),
                "timepoint": wave,
                "answered_on": FIRST_DAY[place] + timedelta(days=int(rng.integers(0, 14))),
                "arm": person.arm,
                "group": f"Group {person.group + 1:02}" if person.group >= 0 else "",
                "age": int(person.age),
                "gender": person.gender,
            }
            for name in TRAITS:
                is_left_out = name == "who-5" and wave == "post" and rng.random() < NOT_ASKED_SHARE
                for item, answer in zip(library[name].items, study.answers[name][index, place], strict=True):
                    text = type_answer(int(answer), rng)
                    row[f"{name} {item.id}"] = NOT_ASKED if is_left_out else text
            rows.append(row)
    return pd.DataFrame(rows)


def disorder_ids(visits: pd.DataFrame) -> pd.DataFrame:
    """Return visits with the id as `typed`, `why` a wrong one is known to be wrong, and the `role` of the row.

    A role is a part in what goes wrong: a repeated answer, another id, a slip of the keyboard.
    """
    times = visits.groupby("participant", sort=True).size()
    complete = [int(number) for number in times.index[times == len(WAVES)] if number not in LOOK_ALIKE]
    misspelt = dict(zip(complete, _MISSPELT, strict=False))
    roles = dict(zip(complete[len(misspelt) :], _ROLES, strict=False))
    ids = {role: spell_id(number) for number, role in roles.items()}
    changed = visits.assign(role=visits["participant"].map(roles).fillna(""), typed=visits["participant_id"])
    changed["why"] = changed["timepoint"].map(dict(zip(WAVES, _WHY, strict=True)))
    for number, spellings in misspelt.items():
        for wave, how in zip(WAVES, spellings, strict=True):
            if how:
                mine = (changed["participant"] == number) & (changed["timepoint"] == wave)
                changed.loc[mine, "typed"] = _SPELLINGS[how](spell_id(number))
    swapped = (changed["role"] == "mistaken") & (changed["timepoint"] == "followup")
    changed.loc[swapped, ["typed", "why"]] = [ids["taken_for"], "the paper form has another code"]
    return changed
