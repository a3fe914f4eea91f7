"""The templates: everything that is put into them is escaped, and every name must be known."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined

from reports.figures.drawing import figure_height, figure_json
from reports.figures.static import static_svg
from reports.language import isolate, say


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
    environment.filters["isolated"] = isolate
    environment.filters["figure_json"] = figure_json
    environment.filters["figure_height"] = figure_height
    environment.filters["static_svg"] = static_svg
    return environment
