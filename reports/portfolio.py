"""An index over the reports of several studies: what each asked, found, and how sure; no ranking, nothing pooled."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from reports.language import Language, language_spoken, speaking
from reports.render import Report, lint_report
from reports.templating import open_templates


def render_portfolio(reports: Sequence[tuple[Report, str]], language: Language) -> str:
    """Return an index as an HTML page.

    Parameters
    ----------
    reports : sequence of (Report, str)
        Gated and put into words, all in one language, each with the relative address of its page.
    language : Language
        That of the reports.

    Raises
    ------
    ReportError
        A sentence claims more than the design of its study allows.
    """
    templates = open_templates()
    with speaking(language):
        entries = []
        for number, (report, link) in enumerate(reports, 1):
            entry = templates.get_template("portfolio_entry.html").render(
                content=report.content, view=report.view, link=link, number=number
            )
            lint_report(entry, report)
            entries.append(Markup(entry))  # noqa: S704 - rendered by a template of ours, with autoescape
        return templates.get_template("portfolio.html").render(entries=entries, language=language_spoken())
