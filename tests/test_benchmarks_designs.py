"""The simulated studies of each design: they go with their plan, and are answered with about the truth."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from analysis.plan_checks import find_dangling, find_misfits

sys.path.append(str(Path(__file__).resolve().parents[1]))  # the benchmarks are no part of what is installed
designs = import_module("benchmarks.designs")

LARGE = -20.0
"""Points: many times the error of any of the designs, of which the largest is that of a short series, about 3."""
NEAR = 10.0
"""Points from the truth: more than three standard errors of that series, and half of what is there to be found."""


@pytest.mark.parametrize("name", designs.DESIGNS)
def test_the_plan_of_a_simulated_design_goes_with_it(name):
    module = designs.load_design(name)
    assert find_dangling(module.plan()) == []
    assert find_misfits(module.plan(), module.design()) == []
    assert len(module.plan().estimands) == 1


@pytest.mark.parametrize("name", designs.DESIGNS)
def test_a_simulated_study_has_an_answer_near_the_truth(name):
    module = designs.load_design(name)
    design, plan = module.design(), module.plan()
    scores, participants = module.simulate(np.random.default_rng(20_262), LARGE)
    found = getattr(module, "answer", designs.ask_models)(plan, design, scores, participants)
    assert module.truth(0.0) == 0
    assert found.verdict == "estimated"
    assert abs(found.value - module.truth(LARGE)) < NEAR
    assert found.conf_low < found.value < found.conf_high
    assert found.std_error > 0


@pytest.mark.parametrize("name", [name for name in designs.DESIGNS if name.startswith("interrupted")])
def test_a_simulated_series_leaves_its_trend_where_the_programme_begins(name):
    module = designs.load_design(name)
    with_effect, without = (module.simulate(np.random.default_rng(1), effect)[0] for effect in (LARGE, 0.0))
    added = (with_effect["score"] - without["score"]).groupby(without["timepoint"]).mean()
    names = [timepoint.id for timepoint in module.design().timepoints]
    begins = names.index(module.design().arms[0].starts)
    assert added[names[:begins]].abs().max() == 0
    assert added[names[begins]] == pytest.approx(LARGE / 2)
    assert added[names[-1]] == pytest.approx(LARGE)
