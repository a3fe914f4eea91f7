"""The first page of a report on its own: one sheet of paper, or one screen."""

from __future__ import annotations

from reports.house_style import wearing
from reports.language import language_spoken, speaking
from reports.render import Report, lint_report
from reports.templating import open_templates


def render_summary(report: Report) -> str:
    """Return page one of a report as an HTML page of its own, for one sheet of A4 (`reports.pdf.print_pdf`).

    Parameters
    ----------
    report : Report
        Gated and put into words.

    Raises
    ------
    ReportError
        A sentence claims more than the design allows.
    """
    with speaking(report.content.language), wearing(report.content.style):
        card = report.view.headline
        drawing = next((each for each in card.illustrations if each.id == f"trajectories-{card.id}"), None)
        page = (
            open_templates()
            .get_template("summary.html")
            .render(
                content=report.content,
                view=report.view,
                language=language_spoken(),
                drawing=drawing,
                table=card.tables[0] if drawing else None,  # that of the means which are drawn stands first
            )
        )
    lint_report(page, report)
    if report.renamed:
        render_summary(report.renamed)
    return page
