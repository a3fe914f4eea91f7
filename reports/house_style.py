"""The house style of a sponsor: a logo, two colours and a font of the reader's system, held against WCAG contrast."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from data_contracts.errors import Problem
from reports.errors import ReportError

LEAST_CONTRAST: Final = 4.5
"""Of text against its ground (WCAG 2.2, success criterion 1.4.3, level AA)."""
GROUNDS: Final = {"white": "#ffffff", "the panels": "#f4f6f8"}
"""What text and lines in the colours of a house style stand on."""
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
LARGEST_LOGO: Final = 200_000
"""Bytes: a report travels by e-mail."""
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_FAMILY: Final = re.compile(r"[A-Za-z][A-Za-z0-9 -]{0,39}")
_LOGOS: Final = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"<svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseStyle:
    """How a report looks where a sponsor wants it to look like its own.

    Attributes
    ----------
    colours : tuple of str
        ``#rrggbb``: of headings' rules and links and of the first arm; of the second arm.
    font : str
        Families, for CSS.
    logo : str
        A ``data:`` address, or nothing.
    logo_text : str
        What a person who cannot see the logo is told.
    """

    colours: tuple[str, str] = ("#0b5a97", "#a34f00")
    font: str = FONT
    logo: str = ""
    logo_text: str = ""


def make_house_style(
    *, colours: tuple[str, str] | None = None, font: str = "", logo: bytes = b"", logo_text: str = ""
) -> HouseStyle:
    """Return a house style that can be read by everybody.

    Parameters
    ----------
    colours : tuple of str, optional
        Two colours, ``#rrggbb``, each at least 4.5:1 against white and against the light panels.
    font : str, optional
        Name of a font family of the reader's system; the system's own stands behind it.
    logo : bytes, optional
        A PNG, JPEG or SVG picture of at most 200 kB.
    logo_text : str
        What the logo says; needed with a logo.

    Raises
    ------
    ReportError
        A colour is no colour or too pale, a name is no name of a font, or the picture is of another kind or too large.
    """
    if colours is not None:
        for colour in colours:
            _require_contrast(colour)
    if font and not _FAMILY.fullmatch(font):
        raise _wrong("font", f"'{font[:40]}' is not the name of a font.", "Write letters, digits and spaces: Verdana.")
    return HouseStyle(
        colours=colours or HouseStyle().colours,
        font=f"'{font}', {FONT}" if font else FONT,
        logo=_address_of(logo, logo_text) if logo else "",
        logo_text=logo_text,
    )


def contrast(colour: str, ground: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    lighter, darker = sorted((_luminance(colour), _luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


_WORN: ContextVar[HouseStyle] = ContextVar("house_style")


@contextmanager
def wearing(style: HouseStyle) -> Iterator[None]:
    """Draw and print everything within the block in a house style."""
    token = _WORN.set(style)
    try:
        yield
    finally:
        _WORN.reset(token)


def style_worn() -> HouseStyle:
    """Return the house style in force; our own where none was set."""
    return _WORN.get(None) or HouseStyle()


def _require_contrast(colour: str) -> None:
    if not _COLOUR.fullmatch(colour):
        raise _wrong("colours", f"'{colour[:20]}' is not a colour.", "Write it as #rrggbb, such as '#0b5a97'.")
    for name, ground in GROUNDS.items():
        ratio = contrast(colour, ground)
        if ratio < LEAST_CONTRAST:
            raise _wrong(
                "colours",
                f"{colour} on {name} has a contrast of {ratio:.2f}:1, too pale to read.",
                f"Take a darker shade, of at least {LEAST_CONTRAST}:1.",
            )


def _address_of(logo: bytes, text: str) -> str:
    if not text.strip():
        raise _wrong("logo_text", "The logo has no text.", "Say in a few words what it shows: 'Harbour Foundation'.")
    if len(logo) > LARGEST_LOGO:
        raise _wrong("logo", f"The logo has {len(logo):,} bytes.", f"Save it with at most {LARGEST_LOGO:,}.")
    start = re.sub(rb"^(\s|<\?xml[^>]*>|<!--.*?-->)+", b"", logo[:2000], flags=re.DOTALL)
    kind = next((kind for magic, kind in _LOGOS.items() if start.startswith(magic)), None)
    if kind is None:
        raise _wrong("logo", "The logo is no PNG, JPEG or SVG picture.", "Save it as one of these.")
    return f"data:{kind};base64,{base64.b64encode(logo).decode('ascii')}"


def _luminance(colour: str) -> float:
    parts = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _wrong(key: str, message: str, advice: str) -> ReportError:
    return ReportError(Problem("house_style", message, advice, key=key))
