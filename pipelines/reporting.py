"""Reports of a study that has run: for an audience, in a language, as files of several formats."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import pandas as pd

from data_contracts.errors import Problem, choose_from
from instruments.exchange.workbooks import FORMULA_START
from pipelines.errors import PipelineError
from pipelines.folder import StudyFolder
from pipelines.house_styles import open_house_style
from pipelines.ledger import require_same_data, require_same_question
from pipelines.locking import lock_output
from pipelines.own_words import language_of, open_study_language
from pipelines.provenance import describe_provenance, publish_provenance
from pipelines.releasing import number_release, open_releases, record_release
from pipelines.setting_aside import set_aside_if_refused
from pipelines.store import Store
from pipelines.whole_files import write_whole
from reports import Report, ReportContent, prepare_report, render_page
from reports.codebook import describe_results, published_results
from reports.language import LANGUAGES, open_language
from reports.own_words import texts_of_study
from reports.pdf import print_pdf
from reports.portfolio import render_portfolio
from reports.summary import render_summary
from reports.who import STATEMENTS
from reports.workbook import render_workbook

INTERNAL: Final = "internal"
AUDIENCES: Final = ("sponsor", INTERNAL)

FORMATS: Final[Mapping[str, tuple[str, Callable[[Report], bytes]]]] = {
    "html": ("report.html", lambda report: render_page(report).encode()),
    "pdf": ("report.pdf", lambda report: print_pdf(render_page(report))),
    "summary": ("summary.html", lambda report: render_summary(report).encode()),
    "summary-pdf": ("summary.pdf", lambda report: print_pdf(render_summary(report))),
    "xlsx": ("tables.xlsx", render_workbook),
    "csv": ("results.csv", lambda report: write_csv(published_results(report))),
    "parquet": ("results.parquet", lambda report: _parquet(published_results(report))),
    "codebook": ("codebook.csv", lambda report: write_csv(describe_results(report))),
}
"""Name of a format -> name of its file, and what makes its bytes."""
_INDEX: Final = "index.html"


def write_reports(
    folder: StudyFolder,
    *,
    audience: str = "sponsor",
    language: str = "",
    formats: Sequence[str] = ("html",),
    is_release: bool = False,
) -> list[Path]:
    """Write reports of a study from the tables of its last run; nothing is fitted again.

    Parameters
    ----------
    folder : StudyFolder
        A study that has run.
    audience : {"sponsor", "internal"}
        What leaves passes the disclosure gate; an internal report holds every number and is marked not for release.
    language : str, optional
        Tag of a language that reports speak; that of the study without it.
    formats : sequence of str
        Keys of `FORMATS`.
    is_release : bool
        The files will be given away: what they tell is written to the ledger of the study, every later report is held
        against it, and they bear the number of the release; all others for sponsors are marked as drafts.

    Returns
    -------
    list of Path
        The files, in the output folder. Names tell a language that is not the study's, and the internal audience:
        ``report.es.html``, ``report.internal.html``.

    Raises
    ------
    PipelineError
        The study has not run, a run or a release of it is under way, a format is not known, or an internal report was
        to be released.
    ReportError
        The language is not known, a sentence claims more than the design allows, fewer people would be protected than
        in an earlier release, or so few came or left since then that they would stand out. Files of an earlier run
        that bear the names of those refused are set aside then.
    """
    if is_release:
        _require_releasable(folder, audience)
    for code, name, known in (
        ("unknown_audience", audience, AUDIENCES),
        *(("unknown_format", name, tuple(FORMATS)) for name in formats),
    ):
        if name not in known:
            message = f"There is no {code.removeprefix('unknown_')} '{name}'."
            raise PipelineError(Problem(code, message, choose_from(name, known)))
    _require_run(folder)
    marks = [language] if language not in ("", language_of(folder)) else []
    marks += [audience] if audience != "sponsor" else []
    makers = {_marked(file, marks): make for file, make in (FORMATS[name] for name in formats)}
    with lock_output(folder, is_shared=not is_release):
        content = load_content(folder, audience=audience, language=language)
        with set_aside_if_refused(folder.output, makers):
            files = _make_files(folder, content, makers, is_release=is_release)
        return [write_whole(folder.output / name, made) for name, made in files.items()]


def names_of_reports() -> list[str]:
    """Return the name of every file that `write_reports` may write, for any audience, in any language."""
    marks = [[*tag, *audience] for tag in ((), *((tag,) for tag in LANGUAGES)) for audience in ((), (INTERNAL,))]
    return [_marked(file, each) for file, _ in FORMATS.values() for each in marks]


def _make_files(
    folder: StudyFolder,
    content: ReportContent,
    makers: Mapping[str, Callable[[Report], bytes]],
    *,
    is_release: bool,
) -> dict[str, bytes]:
    """Return the bytes of each file; of a release, only after it was recorded."""
    report, profile = prepare_report(content), folder.plan.value.small_numbers.profile
    if not is_release:
        return {name: make(report) for name, make in makers.items()}
    released = number_release(folder.path, report.gated, profile=profile)
    report = prepare_report(replace(content, released=released))
    files = {name: make(report) for name, make in makers.items()}
    told, time = b"".join(files.values()), datetime.fromisoformat(released.time)
    record_release(folder.path, report.gated, profile=profile, report=told, time=time)
    return files


def write_portfolio(folders: Sequence[StudyFolder], into: Path, *, language: str = "en") -> Path:
    """Write an index over the reports of several studies that have run, with their reports beside it.

    Parameters
    ----------
    folders : sequence of StudyFolder
        In the order in which they shall stand.
    into : Path
        Folder of the index; each report is written into it as ``<study>.html``, gated for sponsors.
    language : str
        Tag of a language that reports speak.

    Returns
    -------
    Path
        ``index.html``.

    Raises
    ------
    PipelineError
        A study has not run, or two have the same id.
    ReportError
        The language is not known, or a sentence claims more than a design allows.
    """
    names = [folder.study.value.study for folder in folders]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        problem = Problem(
            "same_study", f"Two studies are called '{twice}'.", "Give each an id of its own in study.yaml."
        )
        raise PipelineError(problem)
    contents = []
    for folder in folders:
        _require_run(folder)
        with lock_output(folder, is_shared=True):
            contents.append(load_content(folder, language=language))
    links = [f"{name}.html" for name in names]
    with set_aside_if_refused(into, [*links, _INDEX]):
        reports = [prepare_report(content) for content in contents]
        pages = {link: render_page(report) for link, report in zip(links, reports, strict=True)}
        pages[_INDEX] = render_portfolio(list(zip(reports, links, strict=True)), open_language(language))
    into.mkdir(parents=True, exist_ok=True)
    return [write_whole(into / name, page.encode()) for name, page in pages.items()][-1]


def load_content(folder: StudyFolder, *, audience: str = "sponsor", language: str = "") -> ReportContent:
    """Return what a report of a study is made from, from the tables of its last run."""
    store = Store(folder.store)
    reconciliation = store.load("reconciliation")
    require_same_data(folder, dict(zip(reconciliation["source"], reconciliation["sha256"], strict=True)))
    return make_content(
        folder,
        results=store.load("results"),
        reconciliation=reconciliation,
        verdicts=store.load_verdicts(),
        quotations=store.load("quotations") if folder.design.themes else None,
        audience=audience,
        language=language,
    )


def find_missing_words(folder: StudyFolder, language: str) -> tuple[str, ...]:
    """Return the texts of a study that it does not bring in a language, so that its report prints them as they are.

    Parameters
    ----------
    folder : StudyFolder
        A study that has run.
    language : str
        Tag of a language that reports speak; of the study's own language, or none, nothing is missing.
    """
    if language in ("", folder.study.value.language):
        return ()
    content = load_content(folder, language=language)
    return tuple(text for text in texts_of_study(content) if text not in content.language.own)


def make_content(
    folder: StudyFolder,
    *,
    results: pd.DataFrame,
    reconciliation: pd.DataFrame,
    verdicts: pd.DataFrame,
    quotations: pd.DataFrame | None = None,
    audience: str = "sponsor",
    language: str = "",
) -> ReportContent:
    """Return what a report of a study is made from; for eyes inside, small numbers are not protected."""
    study, plan = folder.study.value, folder.plan.value
    if audience == INTERNAL:
        plan = plan.model_copy(update={"small_numbers": plan.small_numbers.model_copy(update={"profile": "none"})})
    return ReportContent(
        title=study.title,
        question=study.question,
        programme=study.programme,
        sponsor=study.sponsor,
        evaluator=study.evaluator,
        delivered_as={part: text for part, text in study.delivery if text.strip()},
        statements={name: text for name in STATEMENTS if (text := getattr(study, name)).strip()},
        synthetic=study.synthetic,
        design=folder.design,
        plan=plan,
        results=results,
        instruments=folder.library,
        wording=folder.wording,
        verdicts=verdicts,
        reconciliation=reconciliation,
        cells_quarantined=int(reconciliation["cells_quarantined"].sum()),
        provenance=publish_provenance(describe_provenance(folder, reconciliation), reconciliation["source"]),
        quotations={} if quotations is None else _by_theme(quotations),
        frozen=folder.frozen,
        language=open_study_language(folder, language),
        style=open_house_style(folder),
        earlier=open_releases(folder.path) if audience == "sponsor" else (),
    )


def _by_theme(quotations: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    return {str(theme): tuple(texts) for theme, texts in quotations.groupby("theme", sort=False)["text"]}


def write_csv(table: pd.DataFrame) -> bytes:
    """Return a table as CSV for spreadsheet programs: no text, nor what a list separator cuts off it, is a formula."""
    safe = table.copy()
    for column in safe.columns[safe.dtypes == "str"]:
        safe[column] = safe[column].map(lambda text: FORMULA_START.sub(r"\g<0>'", text), na_action="ignore")
    text: str = safe.to_csv(index=False, lineterminator="\n", float_format="%.10g")
    return text.encode("utf-8-sig")


def _require_run(folder: StudyFolder) -> None:
    if not folder.store.is_file():
        message, advice = "The study has not run, so there is nothing to report.", "Run it first: peerimpact run STUDY."
        raise PipelineError(Problem("not_run", message, advice, file=folder.path.name))
    require_same_question(folder)


def _require_releasable(folder: StudyFolder, audience: str) -> None:
    if audience != "sponsor":
        message, advice = "A report for eyes inside the study cannot be released.", "Take '--audience sponsor'."
        raise PipelineError(Problem("release_not_possible", message, advice, key="--release"))
    if folder.plan.value.small_numbers.profile == "none":
        message, advice = "The plan protects no small numbers.", "Choose a profile in sap.yaml: threshold-10."
        raise PipelineError(Problem("release_not_possible", message, advice, key="small_numbers.profile"))


def _marked(file: str, marks: Sequence[str]) -> str:
    stem, _, kind = file.rpartition(".")
    return ".".join((stem, *marks, kind))


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return bytes(buffer.getvalue())
