import pytest

from reports.numbers import format_count, format_interval, format_number, format_p, format_share

NAN = float("nan")


@pytest.mark.parametrize(("value", "decimals", "text"), [
    (-2.44, 1, "\u22122.4"), (2.46, 1, "2.5"), (-0.04, 1, "0.0"), (1234.5, 1, "1,234.5"), (NAN, 1, "\u2013"), (-0.04, 2, "\u22120.04"),
    (-1000, 0, "\u22121,000"),
])  # fmt: skip
def test_numbers_have_a_real_minus_and_no_negative_zero(value: float, decimals: int, text: str) -> None:
    assert format_number(value, decimals) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0342, "0.034"), (0.00099, "<\u00a00.001"), (0.001, "0.001"), (NAN, "\u2013"), (0.61, "0.61"), (1.0, "1.00")],
)
def test_small_p_values_are_not_zero(p: float, text: str) -> None:
    assert format_p(p) == text


def test_interval_without_zero_is_seen_to_be_one() -> None:
    assert format_interval(-4.2, -0.6) == "\u22124.2 to \u22120.6"
    assert format_interval(-4.2, -0.04) == "\u22124.20 to \u22120.04"
    assert format_interval(-4.16, -0.66) == "\u22124.2 to \u22120.6"
    assert format_interval(0.07, 4.21) == "0.07 to 4.21"
    assert format_interval(0.1 + 0.2, 1.4 + 1e-12) == "0.3 to 1.4"
    assert format_interval(-4.2, NAN) == "\u2013"


def test_share_is_never_rounded_up_to_everybody() -> None:
    assert format_share(999, 1000) == "99\u00a0%"
    assert format_share(1, 1000) == "1\u00a0%"
    assert format_share(94, 119) == "79\u00a0%"
    assert format_share(94, 119, at_least=True) == "78\u00a0%"
    assert format_share(5, 5) == "100\u00a0%"
    assert format_share(0, 0) == "\u2013"


def test_counts_have_separators() -> None:
    assert format_count(1468.0) == "1,468"
    assert format_count(NAN) == "\u2013"
