"""The true numbers of people of a random small study, to hold against what somebody found out."""

from __future__ import annotations

import numpy as np

from benchmarks.small_studies import MEANINGFUL, TIMEPOINTS, SmallStudy


class Truth:
    """The true numbers of people of a study."""

    def __init__(self, study: SmallStudy) -> None:
        self.study = study
        n_times = next(iter(study.scores.values())).shape[1]
        self.arm = {arm.label: study.arm == arm.id for arm in study.arms} | {"": np.ones(len(study.arm), dtype=bool)}
        self.at = {time.label: place for place, time in enumerate(TIMEPOINTS[:n_times])}

    def count(self, what: tuple[str, str, str, str]) -> int | None:
        """Return how many people there are; None of what is not known here."""
        kind, arm, time, measure = what
        people = self._people(kind, self.at.get(time, 0), measure)
        return None if people is None else int((people & self.arm[arm]).sum())

    def _people(self, kind: str, at: int, measure: str) -> np.ndarray | None:
        """Return of each person whether they are counted, at a place among the timepoints."""
        study, beside = self.study, self.study.beside
        scores = study.scores.get(measure, np.full((len(study.arm), len(self.at)), np.nan))
        has = ~np.isnan(scores)
        known = {
            "allocated": np.ones(len(study.arm), dtype=bool),
            "answered": np.logical_or.reduce([~np.isnan(each) for each in study.scores.values()])[:, at],
            "analysed": has.any(axis=1),
            "observed": has[:, at],
            "in model": has[:, at],
            "both": has[:, 0] & has[:, at],
            "harmed": {"fall": study.harmed, "hospital": beside.in_hospital}.get(measure),
            "attended": None if beside.attended is None else beside.attended.any(axis=1),
            "interviewed": beside.interviewed,
            "flagged": None if beside.flagged is None else beside.flagged[:, at],
            "meaningful improved": scores[:, at] - scores[:, 0] <= -MEANINGFUL,
            "meaningful worsened": scores[:, at] - scores[:, 0] >= MEANINGFUL,
            "meaningful unchanged": np.abs(scores[:, at] - scores[:, 0]) < MEANINGFUL,
        }
        if kind.startswith("scored "):
            low, high = map(float, kind.removeprefix("scored ").split(":"))
            return (scores[:, at] >= low) & (scores[:, at] <= high)
        return known.get(kind)

    def left(self, both: tuple[str, str, str, str]) -> tuple[int, float]:
        """Return how many were asked at baseline and not later, and their mean at baseline (NaN of nobody)."""
        _, arm, time, measure = both
        scores = self.study.scores[measure]
        gone = self.arm[arm] & ~np.isnan(scores[:, 0]) & np.isnan(scores[:, self.at[time]])
        return int(gone.sum()), float(scores[gone, 0].mean()) if gone.any() else float("nan")
