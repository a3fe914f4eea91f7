"""What study.yaml says of coded interviews: themes, and the tables in which coders wrote down where they found them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from data_contracts.documents import Finding, FindingsError, StrictModel
from pipelines.declarations import Export, Id, Text
from pipelines.sources.formats import Format

READ_AS: tuple[Format, ...] = ("csv", "excel")


class StudyTheme(StrictModel):
    """Something that people spoke of in interviews, and by what coders knew it."""

    id: Id
    label: Text
    definition: Text


class ThemeColumn(StrictModel):
    """The column of the theme, and what its codes stand for; a blank cell says that the coder found none."""

    column: Text
    values: Annotated[dict[str, Id], Field(min_length=1)]


class ConsentColumn(StrictModel):
    """The column that says whether the person agreed to be quoted, and what its codes stand for."""

    column: Text
    values: Annotated[dict[str, Literal["yes", "no"]], Field(min_length=1)]


class InterviewsSource(Export):
    """Coded interviews: one row for each judgement of a coder that an excerpt shows a theme.

    An excerpt that a coder read without finding a theme has a row with a blank theme: without it nobody could tell that
    it was read.
    """

    excerpt: Text
    coder: Text
    theme: ThemeColumn
    quotation: Text | None = None
    consented: ConsentColumn | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> InterviewsSource:
        findings = []
        if self.format not in READ_AS:
            message = f"Interviews are read from csv and excel, not from {self.format}."
            findings.append(Finding(("format",), message, "Export the table of codings as csv or excel."))
        if self.participant_id.anonymous:
            message, advice = "Interviews are those of participants.", "Name the column of the participant's id."
            findings.append(Finding(("participant_id",), message, advice))
        if (self.quotation is None) != (self.consented is None):
            message = "A quotation needs the consent of the person, and a consent a quotation."
            advice = (
                "Write 'quotation: quote' and 'consented: {column: may_quote, values: {y: yes, n: no}}', or neither."
            )
            findings.append(Finding((), message, advice))
        if findings:
            raise FindingsError(findings)
        return self

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Every column that is read, and what it is for."""
        told = [(self.excerpt, "excerpt"), (self.coder, "coder"), (self.theme.column, "theme")]
        if self.quotation and self.consented:
            told += [(self.quotation, "quotation"), (self.consented.column, "consented")]
        return [*((column, "participant_id") for column in self.participant_id.columns), *told]
