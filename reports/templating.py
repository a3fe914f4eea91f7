"""The templates: everything that is put into them is escaped, and every name must be known."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from reports.cells import Table
from reports.figures.drawing import figure_height, figure_json
from reports.figures.static import static_svg
from reports.language import isolate, say
from reports.one_sheet import lay_out

SHORT: Final = 14
"""Characters of a cell that is not broken in print, as in ``at least 1,000``."""


@cache
def template_sources() -> dict[str, str]:
    """Return templates, styles and scripts by name; with the line ends that a browser sees, for their hashes."""
    folder = files("reports") / "templates"
    names = (file.name for file in folder.iterdir() if file.name.endswith((".html", ".css", ".js")))
    return {name: (folder / name).read_text(encoding="utf-8").replace("\r\n", "\n") for name in sorted(names)}


def open_templates() -> Environment:
    """Return the environment of the templates, with autoescape."""
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=DictLoader(template_sources()),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["say"] = say
    environment.globals["page_numbers"] = page_numbers
    environment.globals["css_string"] = css_string
    environment.globals["lay_out"] = lay_out
    environment.filters["isolated"] = isolate
    environment.filters["columns_kept_whole"] = columns_kept_whole
    environment.filters["figure_json"] = figure_json
    environment.filters["figure_height"] = figure_height
    environment.filters["static_svg"] = static_svg
    return environment


def page_numbers() -> Markup:
    """Return the number of a printed page as a value of CSS: ``counter(page) " of " counter(pages)``."""
    counters = {"\1": "counter(page)", "\2": "counter(pages)"}
    said = re.split("([\1\2])", say("{page} of {pages}", page="\1", pages="\2"))
    return Markup(" ".join(counters.get(part) or css_string(part) for part in said if part))  # noqa: S704 - escaped


def css_string(text: str) -> Markup:
    """Return a text as a string of CSS within a page: nothing in it ends the string, the rule or the style."""
    escaped = "".join(each if each.isalnum() or each == " " else f"\\{ord(each):x} " for each in text)
    return Markup(f'"{escaped}"')  # noqa: S704 - letters, digits, spaces and escapes alone


def columns_kept_whole(table: Table) -> str:
    """Return classes that name the columns, but for the first, whose cells are all short: ``c2 c4``."""
    columns = enumerate(zip(*table.rows, strict=True), 1)
    return " ".join(f"c{place}" for place, cells in columns if place > 1 and max(map(len, cells)) <= SHORT)
