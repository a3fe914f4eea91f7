"""What may be said, and to whom? Disclosure gate, claims, figures, tables, one self-contained page."""

from reports.claims import Claim, make_claim
from reports.content import ReportContent
from reports.disclosure import gate_results
from reports.errors import ReportError
from reports.lint import lint_claims
from reports.render import Report, prepare_report, render_page, render_report

__all__ = [
    "Claim",
    "Report",
    "ReportContent",
    "ReportError",
    "gate_results",
    "lint_claims",
    "make_claim",
    "prepare_report",
    "render_page",
    "render_report",
]
