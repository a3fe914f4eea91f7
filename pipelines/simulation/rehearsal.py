"""Tables of invented people that obey a study's own declarations: what a plan is tried on before data are opened.

No difference between arms is put in, so nothing can be learned from the numbers, and nobody's wish can steer the plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.design import StudyDesign
from data_contracts import Contract, conform
from instruments import Instrument, Item
from pipelines.library import measures_as_delivered
from pipelines.study import Study

Array = NDArray[np.float64]
SOURCE: Final = "rehearsal"
GROUP_SIZE, SITES, SESSIONS, FACILITATORS = 8, 6, 8, 4
LASTING: Final = 0.65
"""Share of the variance of a trait that a person keeps from one timepoint to the next."""
LOADING: Final = 0.8
"""Correlation of an answer with the trait."""
LEAVES: Final = 0.1
"""Share of those who still answered that leave before the next timepoint."""
SKIPPED: Final = 0.02
"""Share of single answers that are missing."""
CAME: Final = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedTables:
    """The tables that files would have given."""

    participants: pd.DataFrame
    responses: pd.DataFrame
    delivered_scores: pd.DataFrame
    sessions: pd.DataFrame
    events: pd.DataFrame
    flags: pd.DataFrame


def invent_tables(
    study: Study,
    design: StudyDesign,
    library: Mapping[str, Instrument],
    contracts: Mapping[str, Contract],
    *,
    people: int,
    rng: np.random.Generator,
) -> InventedTables:
    """Invent the tables of a study.

    Parameters
    ----------
    study, design, library, contracts : Study, StudyDesign, mapping, mapping
        What is declared: items and scores are invented at the timepoints at which a source delivers them, in their
        ranges; characteristics in their range or levels; groups, sites, sessions and events where declared.
    people : int
        In each arm; in a repeated cross-section in each arm at each timepoint.
    rng : Generator
        Source of randomness.

    Returns
    -------
    InventedTables
        As the contracts have them. One in ten leaves before each later timepoint, one answer in fifty is missing.
    """
    participants = _participants(study, design, people, rng)
    seen = _who_is_seen(participants, design, rng)
    lasting = rng.standard_normal(len(participants))
    tables: dict[str, list[dict[str, Any]]] = {"responses": [], "delivered_scores": []}
    delivered = measures_as_delivered(study, library)
    for timepoint, name, has_items, scores in sorted(_deliveries(study)):
        here = participants.loc[seen[timepoint], "participant_id"].to_numpy()
        trait = np.sqrt(LASTING) * lasting[seen[timepoint]] + np.sqrt(1 - LASTING) * rng.standard_normal(len(here))
        if has_items:
            tables["responses"] += _answers(library[name], timepoint, here, trait, rng)
        for measure in (f"{name}.{score}" if name else score for score in scores):
            if measure in delivered and measure in design.measures:
                low, high = design.measures[measure].minimum, design.measures[measure].maximum
                values = np.clip((low + high) / 2 + (high - low) / 6 * trait, low, high)
                tables["delivered_scores"] += [
                    {"participant_id": who, "timepoint": timepoint, "measure": measure, "score": round(float(value), 1)}
                    for who, value in zip(here, values, strict=True)
                ]
    sessions = list(_sessions(participants, design, rng)) if study.sessions else []
    events = list(_events(study, design, participants, rng))
    who_and_when = ["participant_id", "timepoint"]
    return InventedTables(
        participants=conform(participants, contracts["participants"]),
        responses=_table(tables["responses"], contracts["responses"], [*who_and_when, "instrument", "item"]),
        delivered_scores=_table(tables["delivered_scores"], contracts["delivered_scores"], [*who_and_when, "measure"]),
        sessions=_table(sessions, contracts["sessions"], ["participant_id", "session"]),
        events=_table(events, contracts["events"], ["participant_id", "event"]),
        flags=_table([], contracts["flags"], []),
    )


def _table(rows: list[dict[str, Any]], contract: Contract, key: list[str]) -> pd.DataFrame:
    """Return rows as a table of a contract, one for each key, numbered as if read."""
    columns = [each.name for each in contract.table.properties]
    table = pd.DataFrame(rows, columns=None if rows else columns).drop_duplicates(key or None).reset_index(drop=True)
    if "source_row" in columns:
        table = table.assign(source=SOURCE, source_row=np.arange(2, len(table) + 2))
    return conform(table, contract)


def _participants(study: Study, design: StudyDesign, people: int, rng: np.random.Generator) -> pd.DataFrame:
    times = len(design.timepoints) if design.is_resampled else 1
    arms = np.repeat([arm.id for arm in design.arms], people * times)
    has_site = any("site" in source.participant_columns for source in study.sources)
    table = pd.DataFrame({"participant_id": [f"p_{place:024x}" for place in range(len(arms))], "arm": arms})
    within = np.tile(np.arange(people * times), len(design.arms))
    meets = np.isin(arms, design.group_arms)
    groups = [f"{arm}-{place // GROUP_SIZE + 1:02}" for arm, place in zip(arms, within, strict=True)]
    table["group"] = np.where(meets, groups, "")
    table["site"] = [f"site-{number}" for number in rng.integers(1, SITES + 1, len(arms))] if has_site else ""
    for covariate in study.covariates:
        if covariate.range:
            table[covariate.id] = np.round(rng.uniform(covariate.range[0], covariate.range[1], len(arms)))
        else:
            table[covariate.id] = rng.choice(list(dict.fromkeys((covariate.levels or {}).values())), len(arms))
    return table


def _who_is_seen(
    participants: pd.DataFrame, design: StudyDesign, rng: np.random.Generator
) -> dict[str, NDArray[np.bool_]]:
    """Return who answers at each timepoint: one sample each, or everybody less those who left."""
    size = len(participants)
    if design.is_resampled:
        drawn = np.arange(size) % len(design.timepoints)
        return {timepoint.id: drawn == place for place, timepoint in enumerate(design.timepoints)}
    stays = np.ones(size, dtype=bool)
    seen = {design.baseline.id: stays}
    for timepoint in design.timepoints[1:]:
        stays = stays & (rng.random(size) >= LEAVES)
        seen[timepoint.id] = stays
    return seen


def _deliveries(study: Study) -> set[tuple[str, str, bool, tuple[str, ...]]]:
    """Return timepoint, instrument (empty for the study's own scores), whether item by item, and delivered scores."""
    found = set()
    for source in study.sources:
        for _, timepoint in source.timepoint.occasions:
            for name, columns in source.instruments.items():
                has_items = columns.items_at(timepoint) is not None
                found.add((timepoint, name, has_items, tuple(columns.delivered)))
            if source.scores:
                found.add((timepoint, "", False, tuple(source.scores)))
    return found


def _answers(
    instrument: Instrument, timepoint: str, people: NDArray[Any], trait: Array, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    for item in instrument.items:
        values = invent_item(instrument, item, trait, rng)
        skipped = rng.random(len(people)) < SKIPPED
        for who, value, is_missing in zip(people, values, skipped, strict=True):
            yield {
                "participant_id": who,
                "timepoint": timepoint,
                "instrument": instrument.id,
                "item": item.id,
                "raw": "" if is_missing else f"{value:g}",
                "value": np.nan if is_missing else value,
                "missing_reason": "blank" if is_missing else "",
                "days_since_baseline": np.nan,
            }


def invent_item(instrument: Instrument, item: Item, trait: Array, rng: np.random.Generator) -> Array:
    """Return answers that go with the trait, or against it where the item is turned round."""
    allowed = instrument.response_sets[item.response_set].allowed
    latent = LOADING * trait * (-1.0 if item.reverse else 1.0)
    latent = latent + np.sqrt(1 - LOADING**2) * rng.standard_normal(len(trait))
    middle, width = (allowed.minimum + allowed.maximum) / 2, allowed.maximum - allowed.minimum
    values = np.clip(np.round(middle + width / 4 * latent), allowed.minimum, allowed.maximum)
    if allowed.options:
        options = np.asarray(sorted(allowed.options), dtype=float)
        values = options[np.abs(values[:, None] - options).argmin(axis=1)]
    return np.asarray(values, dtype=float)


def _sessions(participants: pd.DataFrame, design: StudyDesign, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    reference = design.reference.id if design.reference else ""
    for person in participants[participants["arm"] != reference].to_dict("records"):
        online = bool(rng.random() < 0.5)
        for number in range(SESSIONS):
            yield {
                "participant_id": person["participant_id"],
                "session": str(number + 1),
                "days_since_baseline": 7.0 * (number + 1),
                "format": "online" if online else "in_person",
                "facilitator": f"facilitator-{rng.integers(1, FACILITATORS + 1)}",
                "attended": "attended" if rng.random() < CAME else "absent",
                "group": person["group"],
                "minutes": np.nan,
            }


def _events(
    study: Study, design: StudyDesign, participants: pd.DataFrame, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    later = [timepoint.id for timepoint in design.timepoints[1:]]
    for kind in study.event_kinds if later else ():
        for who in participants.loc[rng.random(len(participants)) < LEAVES, "participant_id"]:
            at = str(rng.choice(later))
            yield {"participant_id": who, "event": kind.id, "timepoint": at, "days_since_baseline": np.nan}
