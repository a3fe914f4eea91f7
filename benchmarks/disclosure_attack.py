"""Attack the reports of random small studies: ``python -m benchmarks.disclosure_attack``.

Two thousand studies, a quarter by each protecting profile, are evaluated, reported, and read by an attacker; on one
idle core that takes about twenty minutes. A number of people counts as recovered where its limits are all small, or
nearer to each other than the profile allows, and hold the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from analysis.profiles import PROFILES, Profile
from benchmarks.disclosure_attacker import Attacker, Learned
from benchmarks.small_studies import ARMS, TIMEPOINTS, SmallStudy, content_of, count_people, draw_study
from reports import ReportError, render_report

STUDIES = 2_000
SEED = 20_261_122
PROTECTING = tuple(name for name, profile in PROFILES.items() if profile.protects)


def attack(study: SmallStudy, profile: Profile) -> Iterator[Learned]:
    """Yield what an attacker recovers of few people from the report of a study."""
    content = content_of(study, profile.name)
    page = render_report(content).encode()
    yield from recovered(page, study, profile)


def recovered(page: bytes, study: SmallStudy, profile: Profile) -> Iterator[Learned]:
    """Yield the small numbers of people that the bytes of a report give away, true ones only."""
    n_times = next(iter(study.scores.values())).shape[1]
    labels = {arm.id: arm.label for arm in ARMS} | {"": ""}
    times = {time.id: time.label for time in TIMEPOINTS[:n_times]} | {"": ""}
    names = {name: name for name in study.scores} | {"": ""}
    truth = {
        (what, labels[arm], times[time], names[name]): count for what, arm, time, name, count in count_people(study)
    }
    arms, at = [arm.label for arm in study.arms], [label for label in times.values() if label]
    attacker = Attacker(page, arms, at, list(study.scores), profile.rounded_to)
    for found in attacker.attack():
        number = _true_number(found.what, truth)
        if number is not None and profile.hides(number) and found.low <= number <= found.high:
            width = profile.threshold - 1 if profile.rounded_to == 1 else min(profile.threshold, profile.rounded_to) - 1
            is_small = found.low >= 1 and found.high < profile.threshold
            if is_small or found.high - found.low < min(width, profile.threshold - 2):
                yield found


def _true_number(what: tuple[str, str, str, str], truth: dict[tuple[str, str, str, str], int]) -> int | None:
    kind, arm, time, measure = what
    if not kind.startswith("not "):
        return truth.get(what)
    part, whole = kind.removeprefix("not ").split(" of ")
    where = {"allocated": ("", ""), "answered": (time, ""), "observed": (time, measure)}.get(whole)
    counts = truth.get((part, arm, time, measure)), truth.get((whole, arm, *where)) if where else None
    return counts[1] - counts[0] if counts[0] is not None and counts[1] is not None else None


def main() -> int:
    """Attack as many studies as are asked for; 1 where anybody was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES)
    number = parser.parse_args().studies
    found = refused = 0
    for place in range(number):
        profile = PROFILES[PROTECTING[place % len(PROTECTING)]]
        try:
            learned = list(attack(draw_study(np.random.default_rng([SEED, place])), profile))
        except ReportError:
            refused += 1
            continue
        for each in learned:
            print(f"study {place}, {profile.name}: {' '.join(each.what)} is {each.low:.0f} to {each.high:.0f}")
        found += len(learned)
    print(f"{number} studies: {found} small numbers of people recovered, {refused} reports refused")
    return int(found > 0)


if __name__ == "__main__":
    raise SystemExit(main())
