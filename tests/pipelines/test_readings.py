"""What a text says: days that exist, in the declared format, and none that a missing digit makes."""

import pytest

from pipelines.texts import read_day


@pytest.mark.parametrize(
    ("text", "date_format", "day"),
    [
        ("31/03/2025", "%d/%m/%Y", "2025-03-31"),
        ("3/3/2025", "%d/%m/%Y", "2025-03-03"),
        ("31/02/2025", "%d/%m/%Y", ""),
        ("04/13/2025", "%d/%m/%Y", ""),
        ("2025-03-31T10:11:12", "%d/%m/%Y", "2025-03-31"),
        ("2025-02-31", "%d/%m/%Y", ""),
        ("0000-00-00", "%d/%m/%Y", ""),
        ("20250131", "%Y%m%d", "2025-01-31"),
        ("2025111", "%Y%m%d", ""),
        ("45000", "%Y-%m-%d", ""),
        ("9999-12-31", "%Y-%m-%d", ""),
        ("0025-05-05", "%Y-%m-%d", ""),
        ("9999-12-31", "%d/%m/%Y", ""),
    ],
)
def test_a_day_is_read_as_declared_or_as_a_spreadsheet_writes_it_or_not_at_all(
    text: str, date_format: str, day: str
) -> None:
    assert read_day(text, date_format) == day
