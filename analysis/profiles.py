"""Profiles of small numbers: how few people may be read, or derived, from what leaves a study."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

ProfileName = Literal["threshold-10", "cms-11", "nhs-8", "datashield-3", "none"]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a rule on small numbers protects.

    Attributes
    ----------
    name : str
        How the plan calls it.
    threshold : int
        The smallest number of people that may be read or derived; 1 protects nobody.
    rounded_to : int
        Every count of people that may be told is rounded to a multiple of this many; 1 leaves it exact.
    source : str
        Who made the rule.
    """

    name: ProfileName
    threshold: int
    rounded_to: int
    source: str

    @property
    def protects(self) -> bool:
        """Whether anything is hidden at all."""
        return self.threshold > 1

    @property
    def step(self) -> int:
        """In steps of how many people numbers are told that must not be subtracted from each other."""
        return -(-self.threshold // self.rounded_to) * self.rounded_to

    @property
    def reach(self) -> int:
        """How far a rounded count may be from the true one, in people."""
        return self.rounded_to // 2

    def hides(self, people: float) -> bool:
        """Tell whether there are so few people, but some, that they must not be told; NaN is nobody."""
        return 0 < people < self.threshold


PROFILES: Final[Mapping[str, Profile]] = {
    each.name: each
    for each in (
        Profile("threshold-10", 10, 1, "Hundepool et al. 2012, Statistical Disclosure Control, "
                "doi 10.1002/9781118348239"),
        Profile("cms-11", 11, 1, "Centers for Medicare and Medicaid Services, cell size suppression policy: no cell of "
                "10 or less, nor a percentage or formula that gives one"),
        Profile("nhs-8", 8, 5, "NHS England, Hospital Episode Statistics, disclosure control: 1 to 7 suppressed, other "
                "counts rounded to the nearest 5"),
        Profile("datashield-3", 3, 1, "Gaye et al. 2014, DataSHIELD, doi 10.1093/ije/dyu188: tables have no cell of "
                "1 or 2 (nfilter.tab = 3)"),
        Profile("none", 1, 1, ""),
    )
}  # fmt: skip
"""Name -> profile, the default first."""
