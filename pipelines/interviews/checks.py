"""What in the interviews of a study definition does not fit together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data_contracts.documents import Finding, KeyPath
from data_contracts.errors import choose_from

if TYPE_CHECKING:
    from pipelines.interviews.declarations import InterviewsSource
    from pipelines.study import Study


def find_interview_contradictions(study: Study) -> list[Finding]:
    """Return themes that are not declared, that no source can tell, and codes that mean two things."""
    themes = [theme.id for theme in study.themes]
    findings = [
        Finding(("themes", place, "id"), f"'{name}' stands more than once.", "Give another id.")
        for place, name in enumerate(themes)
        if name in themes[:place]
    ]
    told = {theme for source in study.interviews for theme in source.theme.values.values()}
    findings += [
        Finding(
            ("themes", place),
            f"No source of 'interviews' tells of '{name}', so that nobody would seem to have spoken of it.",
            "Add its code to 'theme: values' of the source, or take the theme out.",
        )
        for place, name in enumerate(themes)
        if name not in told
    ]
    for place, source in enumerate(study.interviews):
        findings += _source_findings(study, ("interviews", place), source, themes)
    return findings


def _source_findings(study: Study, at: KeyPath, source: InterviewsSource, themes: Sequence[str]) -> list[Finding]:
    findings = [
        Finding((*at, "theme", "values", code), f"Found '{name}', which is not declared.", choose_from(name, themes))
        for code, name in source.theme.values.items()
        if name not in themes
    ]
    named = [column for column, _ in source.columns]
    findings += [
        Finding(at, f"The column '{column}' is read as more than one thing.", "Correct the column names.")
        for column in dict.fromkeys(named)
        if named.count(column) > 1
    ]
    codes = {*source.theme.values, *(source.consented.values if source.consented else ())}
    findings += [
        Finding(("missing_codes", code), f"'{code}' is also a code of a theme or a consent.", "Use another code.")
        for code in study.missing_codes
        if code in codes
    ]
    return findings
