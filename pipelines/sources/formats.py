"""The formats that exports come in, and the options that each of them has in study.yaml."""

from __future__ import annotations

from typing import Final, Literal

Format = Literal[
    "csv", "excel", "qualtrics", "redcap", "kobo", "limesurvey", "google_forms", "microsoft_forms", "spss", "stata",
    "parquet", "fhir",
]  # fmt: skip
_TEXT: Final = ("encoding", "delimiter", "decimal_comma")
OPTIONS: Final[dict[Format, tuple[str, ...]]] = {
    "csv": _TEXT,
    "excel": ("sheet", "header_row"),
    "qualtrics": (*_TEXT, "keep_unfinished"),
    "redcap": (*_TEXT, "dictionary", "repeat"),
    "kobo": (*_TEXT, "sheet", "repeat"),
    "limesurvey": (*_TEXT, "keep_unfinished"),
    "google_forms": (*_TEXT, "sheet"),
    "microsoft_forms": ("sheet",),
    "spss": ("encoding",),
    "stata": ("encoding",),
    "parquet": (),
    "fhir": (),
}
ALL_OPTIONS: Final = tuple(dict.fromkeys(option for options in OPTIONS.values() for option in options))
