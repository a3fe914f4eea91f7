"""What the plan of a study calls its arms, timepoints, measures and harms: anybody knows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """Ids and labels.

    Attributes
    ----------
    arms, times, measures, events : dict
        Id -> label, in their order; a measure by the outcome that it is.
    minimum, maximum : float
        Between which the whole scores of every measure lie.
    meaningful : float
        The smallest difference that people notice.
    threshold, rounded_to : int
        What the report says of how numbers are protected: the fewest people that it tells of, and the step to which
        it rounds (1 for not at all).
    """

    arms: dict[str, str]
    times: dict[str, str]
    measures: dict[str, str]
    events: dict[str, str]
    minimum: float = 0.0
    maximum: float = 30.0
    meaningful: float = 3.0
    threshold: int = 10
    rounded_to: int = 1

    def arm(self, text: str) -> str:
        """Return the arm that a text begins with, or names; empty without one."""
        starts = [name for name in self.arms.values() if text.startswith(name)]
        return (starts or [name for name in self.arms.values() if name in text] or [""])[0]

    def times_in(self, text: str) -> list[str]:
        """Return the timepoints that a text names, in its order."""
        found = [(text.find(name), name) for name in self.times.values() if name in text]
        return [name for _, name in sorted(found)]

    def measure(self, text: str) -> str:
        """Return the id of the measure that a text names; empty without one."""
        return next((each for each, label in self.measures.items() if label.lower() in text.lower()), "")

    def event(self, text: str) -> str:
        """Return the id of the last harm that a text names; empty without one."""
        found = [(text.rfind(label), each) for each, label in self.events.items() if label in text]
        return max(found)[1] if found else ""
