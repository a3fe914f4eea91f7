"""What is wrong, where, and what to do: one vocabulary of problems for every room."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, said so that a person can mend it.

    Parameters
    ----------
    code : str
        Stable snake_case name of the kind of problem, for machines.
    message : str
        What was found and why it cannot stay. Never a participant's value.
    how_to_fix : str
        What to do about it.
    file, line, key : optional
        Where: file name, 1-based line (or row of a data file), key path or column.
    """

    code: str
    message: str
    how_to_fix: str
    file: str = ""
    line: int | None = None
    key: str = ""

    def __str__(self) -> str:
        """Return place, message and advice in one line."""
        place = ", ".join(part for part in (self.file, f"line {self.line}" if self.line else "", self.key) if part)
        return f"{place}: {self.message} {self.how_to_fix}".strip() if place else f"{self.message} {self.how_to_fix}"

    def as_dict(self) -> dict[str, str | int | None]:
        """Return the problem as plain values for ``--json``."""
        return asdict(self)


class PeerimpactError(Exception):
    """Root of every error that a person is expected to be able to mend.

    Parameters
    ----------
    problems : Problem or iterable of Problem
        Everything that is wrong, so that one reading mends it all.
    """

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DataContractError(PeerimpactError):
    """A document, a contract or a table does not hold what it must."""


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return ``Did you mean 'x'? `` for the nearest allowed name, or an empty text."""
    near = difflib.get_close_matches(name, list(allowed), n=1, cutoff=0.5)
    return f"Did you mean '{near[0]}'? " if near else ""


def choose_from(name: str, allowed: Iterable[str]) -> str:
    """Return advice that names the nearest allowed value and lists them all."""
    options = list(allowed)
    return f"{did_you_mean(name, options)}Allowed: {', '.join(options)}."
