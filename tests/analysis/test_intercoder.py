"""Krippendorff's alpha: the worked examples of its author, its definition by pairs, and its interval."""

from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.intercoder import bootstrap_alpha, krippendorff_alpha, tally_judgements

BINARY = ["0100000010", "1110010000"]
NOMINAL = ["aabbdcccedda", "babbbcccedddd"[:12]]
FOUR_CODERS = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
"""Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, sections A, B and C; the last is also the example of
``kripp.alpha`` in the R package irr."""


def counts_of(coders: list[str]) -> NDArray[np.float64]:
    values = sorted(set("".join(coders)) - {"."})
    units = list(zip(*coders, strict=True))
    return np.array([[unit.count(value) for value in values] for unit in units], dtype="float64")


def alpha_by_pairs(coders: list[str]) -> float:
    """Alpha as its author defines it: every pair of judgements one by one, in a matrix of coincidences."""
    coincidences: dict[tuple[str, str], float] = {}
    for unit in zip(*coders, strict=True):
        given = [value for value in unit if value != "."]
        for first, second in permutations(given, 2):
            coincidences[first, second] = coincidences.get((first, second), 0.0) + 1 / (len(given) - 1)
    values = {value for pair in coincidences for value in pair}
    total = sum(coincidences.values())
    margin = {value: sum(n for (first, _), n in coincidences.items() if first == value) for value in values}
    observed = sum(n for (first, second), n in coincidences.items() if first != second) / total
    expected = sum(margin[a] * margin[b] for a, b in permutations(values, 2)) / (total * (total - 1))
    return 1 - observed / expected


@pytest.mark.parametrize(("coders", "published"), [(BINARY, 0.095), (NOMINAL, 0.692), (FOUR_CODERS, 0.743)])
def test_published_worked_examples_are_reproduced(coders: list[str], published: float) -> None:
    assert krippendorff_alpha(tally_judgements(counts_of(coders))) == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("seed", range(20))
def test_alpha_is_that_of_its_definition_by_pairs_whatever_is_missing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    letters = rng.choice(list("01."), p=[0.5, 0.3, 0.2], size=(int(rng.integers(2, 6)), 25))
    coders = ["".join(row) for row in letters]
    assert krippendorff_alpha(tally_judgements(counts_of(coders))) == pytest.approx(alpha_by_pairs(coders), abs=1e-12)


def test_full_agreement_is_one_and_judgements_that_never_vary_tell_nothing() -> None:
    assert krippendorff_alpha(tally_judgements(counts_of(["0101", "0101"]))) == 1
    assert np.isnan(krippendorff_alpha(tally_judgements(counts_of(["0000", "0000"]))))
    assert np.isnan(krippendorff_alpha(tally_judgements(counts_of(["01.", "..1"]))))


def test_units_that_one_coder_read_do_not_count() -> None:
    assert krippendorff_alpha(tally_judgements(counts_of(["0110" + "1111", "0100" + "...."]))) == pytest.approx(
        alpha_by_pairs(["0110", "0100"])
    )


def test_units_that_are_drawn_together_are_added_up() -> None:
    counts = counts_of(["011010", "010011"])
    apart, together = (tally_judgements(counts, np.array(by)) for by in ([0, 1, 2, 3, 4, 5], [0, 1, 2, 0, 1, 2]))
    assert krippendorff_alpha(apart) == pytest.approx(krippendorff_alpha(together))
    assert (apart.disagreement.size, together.disagreement.size) == (6, 3)


def test_the_interval_is_that_of_alpha_in_units_drawn_anew() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(60) < 0.4
    coders = ["".join(str(int(one != (rng.random() < 0.1))) for one in truth) for _ in range(2)]
    judged = tally_judgements(counts_of(coders))
    low, high = bootstrap_alpha(judged, np.random.default_rng(2))
    assert (low, high) == bootstrap_alpha(judged, np.random.default_rng(2))
    units = np.array(list(zip(*coders, strict=True)))
    again = []
    for _ in range(1500):
        drawn = units[rng.integers(0, 60, 60)]
        again.append(alpha_by_pairs(["".join(drawn[:, coder]) for coder in (0, 1)]))
    assert (low, high) == pytest.approx(tuple(np.quantile(again, [0.025, 0.975])), abs=0.04)
    assert low < krippendorff_alpha(judged) < high


def test_where_samples_seldom_vary_there_is_no_interval() -> None:
    judged = tally_judgements(counts_of(["1" + "0" * 19, "1" + "0" * 19]))
    assert krippendorff_alpha(judged) == 1
    assert np.isnan(bootstrap_alpha(judged, np.random.default_rng(1))).all()
