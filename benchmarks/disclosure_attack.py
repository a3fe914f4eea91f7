"""Attack the reports of random small studies: ``python -m benchmarks.disclosure_attack``.

Two thousand studies, a quarter by each protecting profile, are evaluated, reported and published, and all files of each
are read by an attacker. A number of people counts as recovered where its limits are nearer to each other than the
profile allows, and hold the truth; so does a mean of few people that lies within a tenth of the range of its scores,
and a coordinate of a figure with digits that are published nowhere else. Where it follows of people that they are some,
and few, and no more, that is counted apart. PDFs are made of every fortieth study.
"""

from __future__ import annotations

import argparse
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from analysis.profiles import PROFILES, Profile
from benchmarks.attacker.files import write_files
from benchmarks.attacker.knowledge import MisreadError
from benchmarks.attacker.names import Names
from benchmarks.disclosure_attacker import Attacker
from benchmarks.small_studies import EVENTS, HIGHEST, LOWEST, TIMEPOINTS, SmallStudy, content_of, draw_richer_study
from benchmarks.true_counts import Truth
from reports import ReportError, prepare_report

STUDIES = 2_000
SEED = 20_261_122
PDF_EACH = 40
NARROW = 0.1
"""Part of the range of scores within which the mean of few people counts as recovered."""
PROTECTING = tuple(name for name, profile in PROFILES.items() if profile.protects)


@dataclass(frozen=True)
class Found:
    """A sentence on what follows; `only_few` where it is no more than that there are some, and few: 1 to 9.

    The report says as much itself, where it says why a number is not given: fewer than ten people are between it and
    another one.
    """

    sentence: str
    only_few: bool = False


@dataclass
class Outcome:
    """What came of the attack on one study: what was found, or why there was nothing to attack."""

    place: int
    profile: str
    found: list[Found] = field(default_factory=list)
    ended: str = "read"


def attack(study: SmallStudy, profile: Profile, *, with_pdf: bool = False) -> list[Found]:
    """Return what an attacker finds out of few people from the files of a report."""
    report = prepare_report(content_of(study, profile.name))
    return list(recovered(write_files(report, with_pdf=with_pdf), study, profile))


def recovered(files: Mapping[str, bytes], study: SmallStudy, profile: Profile) -> Iterator[Found]:
    """Yield what the bytes of files give away of few people, true things only."""
    truth, attacker = Truth(study), Attacker(files, names_of(study, profile))
    for found in attacker.attack(lambda low, high: is_few(low, high, profile)):
        who = [what for what in (found.what, found.without) if what is not None]
        counts = [count for what in who if (count := truth.count(what)) is not None]
        if len(counts) < len(who):
            continue
        number = counts[0] - sum(counts[1:])
        if profile.hides(number) and found.low <= number <= found.high:
            why = "; ".join(each for what in who for each in attacker.story.known.sources.get(what, [])[-3:])
            said = f"{' without '.join(map(_say, who))} is {found.low:.0f} to {found.high:.0f}, true {number} ({why})"
            yield Found(said, only_few=found.high - found.low >= _closest(profile))
    for few in attacker.few:
        people, mean = truth.left(few.both)
        is_narrow = few.high - few.low < NARROW * (HIGHEST - LOWEST)
        is_true = few.low - 1e-6 <= mean <= few.high + 1e-6
        if profile.hides(people) and profile.hides(few.most) and is_narrow and is_true:
            yield Found(f"mean of {people} who left, {few.both}: {few.low:.1f} to {few.high:.1f}, true {mean:.2f}")
    yield from map(Found, attacker.loose)


def _say(what: tuple[str, str, str, str]) -> str:
    return ", ".join(filter(None, what))


def is_few(low: float, high: float, profile: Profile) -> bool:
    """Tell whether limits tell too much of few people: all small, or nearer than the profile allows."""
    if high < 1 or low >= profile.threshold:
        return False
    return (low >= 1 and high < profile.threshold) or high - low < _closest(profile)


def _closest(profile: Profile) -> int:
    """Return how near to each other the limits of small numbers may be."""
    width = profile.threshold - 1 if profile.rounded_to == 1 else min(profile.threshold, profile.rounded_to) - 1
    return min(width, profile.threshold - 2)


def names_of(study: SmallStudy, profile: Profile) -> Names:
    """Return what the plan of a study calls things, as a reader of its report knows it."""
    n_times = next(iter(study.scores.values())).shape[1]
    return Names(
        arms={arm.id: arm.label for arm in study.arms},
        times={each.id: each.label for each in TIMEPOINTS[:n_times]},
        measures={name: name.capitalize() for name in study.scores},
        events={event.id: event.label for event in EVENTS},
        minimum=LOWEST, maximum=HIGHEST, threshold=profile.threshold, rounded_to=profile.rounded_to,
    )  # fmt: skip


def attack_one(place: int) -> Outcome:
    """Attack the study of a place in the row of all studies."""
    profile = PROFILES[PROTECTING[place % len(PROTECTING)]]
    outcome = Outcome(place, profile.name)
    study = draw_richer_study(np.random.default_rng([SEED, place]))
    try:
        outcome.found = attack(study, profile, with_pdf=place % PDF_EACH == 0)
    except ReportError as refused:
        outcome.ended = f"refused: {refused.problem.code}"
    except MisreadError as misread:
        outcome.ended = f"misread: {misread}"
    except Exception:  # one study that fails must not end a run over two thousand
        outcome.ended = f"failed: {traceback.format_exc(limit=-3)}"
    return outcome


def main() -> int:
    """Attack as many studies as are asked for; 1 where anybody was found, or a study was not read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=STUDIES)
    parser.add_argument("--first", type=int, default=0, help="place of the first study")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    began, ends, recovered_in_all, known_few = time.monotonic(), Counter(), 0, 0
    for outcome in _attack_all(range(asked.first, asked.first + asked.studies), asked.jobs):
        ends[outcome.ended.partition(":")[0]] += 1
        recovered_in_all += sum(not each.only_few for each in outcome.found)
        known_few += sum(each.only_few for each in outcome.found)
        told = [f"{'few' if each.only_few else 'RECOVERED'}: {each.sentence}" for each in outcome.found]
        for said in (*told, *([] if outcome.ended == "read" else [outcome.ended])):
            print(f"study {outcome.place}, {outcome.profile}: {said}", flush=True)
    print(
        f"{asked.studies} studies from {asked.first} ({', '.join(f'{number} {how}' for how, number in ends.items())}): "
        f"{recovered_in_all} recovered, {known_few} known to be few and no more; {time.monotonic() - began:.0f} s"
    )
    return int(recovered_in_all > 0 or ends["misread"] > 0 or ends["failed"] > 0)


def _attack_all(places: range, jobs: int) -> Iterator[Outcome]:
    if jobs == 1:
        yield from map(attack_one, places)
        return
    with ProcessPoolExecutor(jobs) as workers:
        yield from workers.map(attack_one, places, chunksize=5)


if __name__ == "__main__":
    raise SystemExit(main())
