"""Invented participants: the truth that is written beside them is the truth they were drawn from."""

import numpy as np
import pandas as pd
import pytest

from analysis.simulation import SimulatedStudy, Trait, simulate_study
from instruments import load_library, score_responses

TRAITS = {
    "phq-9": Trait(-0.2, (-0.2, -0.3), (-0.4, -0.2)),
    "ces-d": Trait(0.1, (0.0, 0.1), (0.3, 0.0)),
    "who-5": Trait(0.0, (0.1, 0.1), (0.5, 0.2)),
}
PARTICIPANTS = 16_000
ERRORS_ALLOWED = 4.0
"""Monte Carlo standard errors between a simulated and the true difference; 6 comparisons, chance of a false alarm 4e-4."""


@pytest.fixture(scope="module")
def study() -> SimulatedStudy:
    return simulate_study(
        load_library(), TRAITS, participants=PARTICIPANTS, group_size=10, rng=np.random.default_rng(5)
    )


def scores(study: SimulatedStudy, name: str, timepoint: int) -> pd.Series:
    items = [item.id for item in load_library()[name].items]
    answers = pd.DataFrame(
        study.answers[name][:, timepoint, :], columns=items, index=study.participants["participant"].astype("str")
    )
    long = (
        answers.rename_axis("participant_id").reset_index().melt("participant_id", var_name="item", value_name="value")
    )
    scored = score_responses(
        long.assign(timepoint="t", instrument=name, value=long["value"].astype(float)), load_library()
    )
    return scored.set_index("participant_id").loc[answers.index, "score"]


@pytest.mark.parametrize("name", TRAITS)
@pytest.mark.parametrize("timepoint", [1, 2])
def test_the_true_difference_is_what_many_participants_show(study: SimulatedStudy, name: str, timepoint: int) -> None:
    frame = study.participants.assign(score=scores(study, name, timepoint).to_numpy())
    peer, usual = (frame[frame["arm"] == arm] for arm in ("peer", "usual"))
    by_group = peer.groupby("group")["score"].mean()
    error = np.sqrt(by_group.var() / len(by_group) + usual["score"].var() / len(usual))
    truth = study.truth[f"{name}.total", timepoint]
    assert abs(peer["score"].mean() - usual["score"].mean() - truth) < ERRORS_ALLOWED * error


def test_the_arms_are_alike_at_baseline_and_everybody_answers_then(study: SimulatedStudy) -> None:
    frame = study.participants.assign(score=scores(study, "phq-9", 0).to_numpy())
    means, spread = frame.groupby("arm")["score"].mean(), frame["score"].std()
    assert abs(means["peer"] - means["usual"]) < ERRORS_ALLOWED * spread * 2 / np.sqrt(PARTICIPANTS)
    assert study.observed[:, 0].all()


def test_people_who_are_worse_off_leave_more_often(study: SimulatedStudy) -> None:
    before = scores(study, "phq-9", 0).to_numpy()
    assert before[~study.observed[:, 1]].mean() > before[study.observed[:, 1]].mean() + 0.5
    assert 0.1 < (~study.observed[:, 1]).mean() < 0.25


def test_only_the_peer_arm_meets_in_groups_of_the_asked_size(study: SimulatedStudy) -> None:
    assert (study.participants.loc[study.participants["arm"] == "usual", "group"] == -1).all()
    assert (study.participants.loc[study.participants["arm"] == "peer", "group"].value_counts() == 10).all()
