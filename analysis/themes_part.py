"""Themes of interviews: how many people spoke of each, and how far the coders agree. Never as proof of size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.evaluation import Evaluation
from analysis.harms_part import smallest_part
from analysis.intercoder import DRAWS, bootstrap_alpha, krippendorff_alpha, tally_judgements
from analysis.results import Result
from analysis.sensitivity.imputed import derive_seed
from analysis.telling import Number, Told, tell

INTERVIEWED: Final = "interviewed"
WITH_THEME: Final = "people_with_theme"
READ_TWICE: Final = "excerpts_read_twice"
AGREEMENT: Final = "agreement"
COUNTS_OF_PEOPLE: Final = (INTERVIEWED, WITH_THEME)
FEWEST_EXCERPTS: Final = 10
"""Excerpts that two coders read, from which on agreement can be told from chance."""
ONE_CODER: Final = tell(
    "One person alone coded the interviews, so it is not known whether another would find the same themes. Let a "
    "second person code a part of the excerpts."
)
NOTHING_READ_TWICE: Final = tell(
    "No excerpt was read by two coders, so it is not known whether they agree. Let a second person code a part of the "
    "excerpts of each coder."
)
FEW_READ_TWICE: Final = tell(
    "Fewer than {fewest} excerpts were read by two coders: too few to tell agreement from chance. Let more excerpts be "
    "read by two coders.",
    fewest=Number(FEWEST_EXCERPTS),
)
ALL_THE_SAME: Final = tell(
    "All judgements of the excerpts that two coders read are the same, so agreement cannot be told from chance."
)
_BY_ALPHA: Final = tell(
    "Krippendorff's alpha for yes or no in each excerpt, missing judgements left out; 95\u00a0% percentile interval "
    "over excerpts drawn anew {draws} times",
    draws=Number(DRAWS),
)
_BY_POOLED_ALPHA: Final = tell(
    "Krippendorff's alpha for yes or no to each theme in each excerpt, missing judgements left out; 95\u00a0% "
    "percentile interval over excerpts drawn anew {draws} times",
    draws=Number(DRAWS),
)


def describe_themes(evaluation: Evaluation) -> Iterator[Result]:
    """Count who spoke of the themes, and hold coders against each other.

    Parameters
    ----------
    evaluation : Evaluation
        With codings: a row with a theme says that the coder found it in the excerpt, one without that the coder read
        it. Whoever has any row was interviewed; a person spoke of a theme where one coder at least found it.

    Yields
    ------
    Result
        With the theme in `item`. ``interviewed``, ``people_with_theme`` (n: people interviewed), of everybody and,
        where there are several, by arm (0 where nobody was interviewed: that a row is there must tell nothing);
        ``excerpts_read_twice`` and, of each theme and of all together (no `item`), ``agreement`` (n: people whose
        excerpts two coders or more read). Nothing without codings.
    """
    codings = evaluation.codings
    if codings is None or codings.empty:
        return
    arm_of = evaluation.participants.set_index("participant_id")["arm"]
    codings = codings.assign(arm=codings["participant_id"].map(arm_of))
    yield from _count_people(codings, "", evaluation)
    arms = [arm.id for arm in evaluation.design.arms]
    for arm in arms if len(arms) > 1 else ():
        yield from _count_people(codings[codings["arm"] == arm], arm, evaluation)
    yield from _compare_coders(codings, evaluation)


def _count_people(codings: pd.DataFrame, arm: str, evaluation: Evaluation) -> Iterator[Result]:
    n = codings["participant_id"].nunique()
    common: dict[str, Any] = {"analysis": "themes", "arm": arm, "n": n}
    words = tell("people of whom an excerpt was coded")
    yield Result(statistic=INTERVIEWED, value=n, method=words, **common)
    words = tell("people of whom one coder at least found the theme in an excerpt")
    for theme in evaluation.design.themes:
        found = codings.loc[codings["theme"] == theme.id, "participant_id"].nunique()
        fewest = smallest_part(found, n - found)
        yield Result(statistic=WITH_THEME, item=theme.id, value=found, fewest=fewest, method=words, **common)


def _compare_coders(codings: pd.DataFrame, evaluation: Evaluation) -> Iterator[Result]:
    """Yield the agreement of the coders on each theme and on all, or why it is not known."""
    themes = [theme.id for theme in evaluation.design.themes]
    read = codings.drop_duplicates(["excerpt", "coder"])
    coders = read.groupby("excerpt")["coder"].size()  # sorted by excerpt: row order has no bearing
    twice = coders[coders >= 2]
    if read["coder"].nunique() < 2:
        yield _refuse("one_coder", ONE_CODER)
        return
    if twice.empty:
        yield _refuse("nothing_read_twice", NOTHING_READ_TWICE)
        return
    people = codings.loc[codings["excerpt"].isin(twice.index), "participant_id"].nunique()
    common: dict[str, Any] = {"analysis": "themes", "n": people}
    yield Result(statistic=READ_TWICE, value=len(twice), method=tell("excerpts that two coders or more read"), **common)
    if len(twice) < FEWEST_EXCERPTS:
        yield _refuse("few_read_twice", FEW_READ_TWICE)
        return
    counts = [_count_judgements(codings, theme, twice) for theme in themes]
    for theme, own in zip(themes, counts, strict=True):
        together = np.arange(len(twice))
        yield _agree(own, together, theme, _BY_ALPHA, common, evaluation)
    together = np.tile(np.arange(len(twice)), len(themes))
    yield _agree(np.concatenate(counts), together, "", _BY_POOLED_ALPHA, common, evaluation)


def _count_judgements(codings: pd.DataFrame, theme: str, coders: pd.Series) -> NDArray[np.float64]:
    """Return of each excerpt how many coders found a theme, and how many did not."""
    own = codings[codings["theme"] == theme].drop_duplicates(["excerpt", "coder"])
    found = own.groupby("excerpt").size().reindex(coders.index, fill_value=0).to_numpy(dtype="float64")
    return np.column_stack([found, coders.to_numpy(dtype="float64") - found])


def _agree(
    counts: NDArray[np.float64],
    together: NDArray[np.intp],
    theme: str,
    method: Told,
    common: dict[str, Any],
    evaluation: Evaluation,
) -> Result:
    judged = tally_judgements(counts, together)
    alpha = krippendorff_alpha(judged)
    if np.isnan(alpha):
        return Result(statistic=AGREEMENT, item=theme, method=ALL_THE_SAME, verdict="refused:all_the_same", **common)
    rng = np.random.default_rng(derive_seed(evaluation.plan, f"themes {theme}"))
    low, high = bootstrap_alpha(judged, rng)
    return Result(
        statistic=AGREEMENT,
        item=theme,
        value=alpha,
        conf_low=low,
        conf_high=high,
        method=method,
        verdict="estimated",
        **common,
    )


def _refuse(reason: str, sentence: Told) -> Result:
    return Result(analysis="themes", statistic=AGREEMENT, method=sentence, verdict=f"refused:{reason}")
