"""What a report is made from: nothing of it is a single participant's answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis.design import StudyDesign
from analysis.fingerprint import FrozenPlan
from analysis.plan import Plan
from instruments import Instrument
from instruments.wording import Wording
from reports.house_style import HouseStyle
from reports.language import Language, open_language
from reports.releases import Release, Released


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """Everything that a report may draw on.

    Attributes
    ----------
    title, question, programme, sponsor, evaluator : str
        As the study definition words them; empty where it is silent. Hostile until escaped.
    delivered_as : mapping
        Part of the description of the programme (a key of `reports.description.PARTS`) -> what the study tells of it;
        no key where it is silent. Hostile until escaped.
    statements : mapping
        What the study states of itself (a key of `reports.who.STATEMENTS`) -> its words; as `delivered_as`.
    synthetic : bool
        People and answers are invented; the report says so on every page.
    design : StudyDesign
        Decides what may be claimed.
    plan : Plan
        Order of the outcomes, what was asked, and the disclosure profile.
    results : DataFrame
        The `results` table as computed, not gated yet: `render_report` gates it.
    instruments : mapping
        Instrument id -> Instrument, those that the study uses.
    wording : mapping
        Instrument id -> the words of its items, where whoever holds the licence brought them.
    verdicts : DataFrame
        contract, rule, column, severity, passed, n_checked, n_failed, description, is_own.
    reconciliation : DataFrame
        source, rows_read, rows_accepted, rows_quarantined, rows_excluded, reasons.
    cells_quarantined : int
        Single answers set aside.
    provenance : mapping
        ``versions`` (name -> version) and ``fingerprints`` (file -> SHA-256).
    quotations : mapping
        Theme -> what people said in interviews and agreed to be quoted, of other people first; `prepare_report` leaves
        what may be shown. Hostile until escaped.
    frozen : FrozenPlan or None
        What was frozen of the plan, and when.
    language : Language
        What the report speaks.
    style : HouseStyle
        Logo, colours and font of the sponsor.
    earlier : tuple of Release
        What was released of this study: subtracting it from this report must tell of no few people.
    released : Released or None
        As which release this report is given away; without it, it is marked as a draft.
    """

    title: str
    question: str
    programme: str
    sponsor: str
    evaluator: str
    synthetic: bool
    design: StudyDesign
    plan: Plan
    results: pd.DataFrame
    instruments: Mapping[str, Instrument]
    wording: Mapping[str, Wording]
    verdicts: pd.DataFrame
    reconciliation: pd.DataFrame
    cells_quarantined: int
    provenance: Mapping[str, Any]
    delivered_as: Mapping[str, str] = field(default_factory=dict)
    statements: Mapping[str, str] = field(default_factory=dict)
    quotations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    frozen: FrozenPlan | None = None
    language: Language = field(default_factory=lambda: open_language("en"))
    style: HouseStyle = field(default_factory=HouseStyle)
    earlier: tuple[Release, ...] = ()
    released: Released | None = None
