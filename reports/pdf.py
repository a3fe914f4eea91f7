"""A rendered page as PDF/UA: the same text, tables and static figures, tagged for screen readers, ready to print."""

from __future__ import annotations

import logging
import re
from functools import partial
from typing import Final

from data_contracts.errors import Problem
from reports.errors import ReportError
from reports.figures.printed import lift_texts
from reports.one_sheet import fit_to_sheet
from reports.templating import template_sources

_SCRIPTS: Final = re.compile(r"<script\b[^>]*>.*?</script>", re.DOTALL)


def print_pdf(page: str) -> bytes:
    """Return a page of ours as PDF/UA-1.

    Parameters
    ----------
    page : str
        HTML as `render_page` or `render_summary` returns it; linted there.

    Returns
    -------
    bytes
        A tagged PDF; the same page gives the same bytes. Nothing is fetched: a page that asks for anything from
        outside is refused.

    Raises
    ------
    ReportError
        WeasyPrint finds no Pango library, or the page asks for something from outside.
    """
    try:
        from weasyprint import HTML
    except OSError as error:
        raise ReportError(
            Problem(
                "no_pango",
                f"PDF cannot be written: a system library is missing ({error}).",
                "Install Pango (Debian: libpango-1.0-0 and libpangoft2-1.0-0), or print report.html from a browser.",
            )
        ) from None
    from weasyprint.urls import FatalURLFetchingError, URLFetcher

    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it warns of rules that are for screens
    only_what_it_holds = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    laid_out = partial(HTML, url_fetcher=only_what_it_holds)
    try:
        fitted = fit_to_sheet(_for_paper(page), lambda first: len(laid_out(string=first).render().pages))
        written: bytes = laid_out(string=fitted).write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=b"peerimpact")
    except FatalURLFetchingError as error:
        raise ReportError(
            Problem("page_asks_outside", f"The page cannot be printed: {error}.", "This is a defect: please report it.")
        ) from None
    return written


def _for_paper(page: str) -> str:
    """Return a page without scripts, and with the styles that only WeasyPrint knows after its own."""
    style = f"<style>{template_sources()['paper.css']}</style></head>"
    return lift_texts(_SCRIPTS.sub("", page)).replace("</head>", style, 1)
