"""The one table of results: every number that a report may print, computed once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final

import pandas as pd

from analysis.telling import words_of

NAN: Final = float("nan")

RESULT_DTYPES: Final[dict[str, str]] = {
    "estimand": "str",
    "analysis": "str",
    "outcome": "str",
    "population": "str",
    "arm": "str",
    "timepoint": "str",
    "contrast": "str",
    "item": "str",
    "statistic": "str",
    "value": "float64",
    "std_error": "float64",
    "df": "float64",
    "conf_low": "float64",
    "conf_high": "float64",
    "p_value": "float64",
    "p_adjusted": "float64",
    "n": "float64",
    "method": "str",
    "prespecified": "bool",
    "verdict": "str",
    "classes": "float64",
    "fewest": "float64",
    "words": "str",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One statistic; empty text and NaN mean "does not apply".

    Attributes
    ----------
    estimand : str
        Id in the plan, or empty for what the plan did not ask for by name.
    analysis : str
        ``flow``, ``descriptive``, ``change_within_arm``, ``composition``, ``reliability``, ``items``,
        ``score_agreement``, ``score_audit``, ``model``, ``quality``, ``delivery``, ``certainty``,
        ``deviations``, and those of the parts.
    outcome : str
        Outcome id of the plan; for what is about instruments the measure id.
    arm, timepoint, contrast : str
        Where the statistic belongs; `contrast` as written in the plan.
    item : str
        Item of the measure, covariate of the study, format of sessions or harm of the plan, where the statistic is
        about a single one; of a reason of the certainty its kind.
    statistic : str
        What `value` is: ``participants``, ``mean``, ``difference``, ``cronbach_alpha`` ...
    value, std_error, df, conf_low, conf_high, p_value, p_adjusted : float
        The statistic and its inference; intervals are 95 %.
    n : float
        Participants behind the value; for a contrast the smaller of the two sides. The disclosure gate needs it.
    method : str
        How it was computed, for the annex; or, of what was refused, why. A `Told` can be said in other languages.
    prespecified : bool
        Asked for by a plan that was frozen before outcomes were read, and unchanged since. Models and parts say what
        the plan asks for; `evaluate_plan` takes back what was not frozen so.
    classes, fewest : float
        `classes`: how many different values the scores of the outcome have, where they are ten or fewer. `fewest`: how
        many people have another score, or change, than the commonest one, of a spread than the commonest two. Of the
        composition by a category 2, and how many have its rarest level. Of
        the quality `fewest` is also the smallest number of people, above none, whose answers are left out somewhere;
        of the delivery how many came to any session or missed any, whichever are fewer.
        For the disclosure gate, which takes them out.
    verdict : str
        ``estimated``, ``refused:<reason>``, ``failed:<reason>``, ``observed`` or ``declared``.
    """

    analysis: str
    statistic: str
    value: float = NAN
    estimand: str = ""
    outcome: str = ""
    population: str = ""
    arm: str = ""
    timepoint: str = ""
    contrast: str = ""
    item: str = ""
    std_error: float = NAN
    df: float = NAN
    conf_low: float = NAN
    conf_high: float = NAN
    p_value: float = NAN
    p_adjusted: float = NAN
    n: float = NAN
    method: str = ""
    prespecified: bool = False
    verdict: str = "observed"
    classes: float = NAN
    fewest: float = NAN


def results_table(results: Iterable[Result]) -> pd.DataFrame:
    """Return results as the `results` table, in the order given, with fixed columns and types.

    Column ``words`` holds what `method` says as pattern and values (`analysis.telling`), for other languages.
    """
    names = [field.name for field in fields(Result)]
    rows: list[dict[str, Any]] = [
        {**{name: getattr(result, name) for name in names}, "words": words_of(result.method)} for result in results
    ]
    return pd.DataFrame(rows, columns=list(RESULT_DTYPES)).astype(RESULT_DTYPES)
