"""How arms are told apart: by symbol and line as well as by colour, also in grey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ArmStyle:
    """Colour, marker and line of an arm, and the same in `words` for captions."""

    colour: str
    symbol: str
    dash: str
    words: str


ARM_STYLES: Final = (
    ArmStyle("#0b5a97", "circle", "solid", "filled circles and a solid line"),
    ArmStyle("#a34f00", "diamond-open", "dash", "open diamonds and a dashed line"),
    ArmStyle("#4d4d4d", "square", "dot", "filled squares and a dotted line"),
    ArmStyle("#6b3fa0", "triangle-up-open", "dashdot", "open triangles and a line of dots and dashes"),
)
"""Each at least 4.5:1 on white, of differing lightness, told apart with any kind of colour vision."""

INK: Final = "#1c2126"
LINES: Final = "#c9ced4"
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def style_of(position: int) -> ArmStyle:
    """Return the style of the arm at a position of the design; they repeat after the fourth."""
    return ARM_STYLES[position % len(ARM_STYLES)]
