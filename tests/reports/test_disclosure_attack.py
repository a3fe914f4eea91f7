"""Somebody with nothing but the bytes of a report recovers no small number of people; 2,000 studies: benchmarks."""

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from analysis.profiles import PROFILES
from reports import ReportError, render_report

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the benchmarks are no part of what is installed
disclosure_attack = import_module("benchmarks.disclosure_attack")
small_studies = import_module("benchmarks.small_studies")

EACH = 10
"""Studies by each of the four protecting profiles."""


@pytest.mark.parametrize("name", [name for name, profile in PROFILES.items() if profile.protects])
def test_no_small_number_of_people_is_recovered_from_the_bytes_of_a_report(name):
    reported = 0
    for seed in range(EACH):
        study = small_studies.draw_study(np.random.default_rng([4, seed]))
        try:
            assert list(disclosure_attack.attack(study, PROFILES[name])) == []
        except ReportError:  # nothing leaves where something would follow
            continue
        reported += 1
    assert reported > EACH / 2


def test_the_attacker_recovers_small_numbers_where_nothing_is_protected():
    found = 0
    for seed in range(3):
        study = small_studies.draw_study(np.random.default_rng([4, seed]))
        page = render_report(small_studies.content_of(study, "none")).encode()
        found += len(list(disclosure_attack.recovered(page, study, PROFILES["threshold-10"])))
    assert found > 3


def test_the_attacker_recovers_small_numbers_where_the_rule_is_too_weak():
    found = 0
    for seed in range(5):
        study = small_studies.draw_study(np.random.default_rng([4, seed]))
        page = render_report(small_studies.content_of(study, "datashield-3")).encode()
        found += len(list(disclosure_attack.recovered(page, study, PROFILES["threshold-10"])))
    assert found
