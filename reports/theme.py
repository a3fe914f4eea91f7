"""How arms are told apart: by symbol and line as well as by colour, also in grey."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from reports.house_style import style_worn
from reports.language import mark, say


@dataclass(frozen=True, slots=True)
class ArmStyle:
    """Colour, marker and line of an arm, and a message that describes them."""

    colour: str
    symbol: str
    dash: str
    message: str

    @property
    def words(self) -> str:
        """Marker and line in words, for captions, in the language in force."""
        return say(self.message)


ARM_STYLES: Final = (
    ArmStyle("#0b5a97", "circle", "solid", mark("filled circles and a solid line")),
    ArmStyle("#a34f00", "diamond-open", "dash", mark("open diamonds and a dashed line")),
    ArmStyle("#4d4d4d", "square", "dot", mark("filled squares and a dotted line")),
    ArmStyle("#6b3fa0", "triangle-up-open", "dashdot", mark("open triangles and a line of dots and dashes")),
)
"""Each at least 4.5:1 on white, of differing lightness, told apart with any kind of colour vision."""

INK: Final = "#1c2126"
LINES: Final = "#c9ced4"
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def style_of(position: int) -> ArmStyle:
    """Return the style of the arm at a position of the design; the first two take the colours of the house style."""
    style, colours = ARM_STYLES[position % len(ARM_STYLES)], style_worn().colours
    return replace(style, colour=colours[position]) if position < len(colours) else style
