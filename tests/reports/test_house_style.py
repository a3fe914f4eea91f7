"""House styles: contrast after WCAG, and pictures that are what they say."""

import pytest

from reports.errors import ReportError
from reports.house_style import GROUNDS, HouseStyle, contrast, make_house_style
from reports.theme import ARM_STYLES


@pytest.mark.parametrize(
    ("colour", "ratio"), [("#000000", 21.0), ("#ffffff", 1.0), ("#767676", 4.54), ("#0000ff", 8.59), ("#ff0000", 4.0)]
)
def test_contrast_against_white_is_that_of_wcag(colour: str, ratio: float) -> None:
    assert contrast(colour, "#ffffff") == pytest.approx(ratio, abs=0.005)


def test_our_own_colours_can_be_read_on_every_ground() -> None:
    for colour in (*HouseStyle().colours, *(style.colour for style in ARM_STYLES)):
        assert all(contrast(colour, ground) >= 4.5 for ground in GROUNDS.values())


@pytest.mark.parametrize("colour", ["#777777", "#FFCC00", "blue", "#12345", "#12345g", "url(x)"])
def test_colours_too_pale_or_none_at_all_are_refused(colour: str) -> None:
    with pytest.raises(ReportError):
        make_house_style(colours=(colour, "#000000"))


def test_a_logo_needs_a_text_a_known_kind_and_a_modest_size() -> None:
    png = b"\x89PNG\r\n\x1a\n"
    assert make_house_style(logo=png, logo_text="A").logo == "data:image/png;base64,iVBORw0KGgo="
    assert make_house_style(logo=b"<?xml version='1.0'?>\n<svg/>", logo_text="A").logo.startswith("data:image/svg+xml")
    for logo, text in ((png, " "), (b"GIF89a", "A"), (png + bytes(200_000), "A"), (b"<html><svg>", "A")):
        with pytest.raises(ReportError):
            make_house_style(logo=logo, logo_text=text)
