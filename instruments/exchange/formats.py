"""Format -> export: every file that an instrument can leave as."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Final

from data_contracts.errors import Problem, choose_from
from instruments.errors import InstrumentError
from instruments.model import Instrument
from instruments.wording import Wording

FORMATS: Final[dict[str, str]] = {
    "fhir": "FHIR R4 Questionnaire (SDC)",
    "redcap": "REDCap data dictionary",
    "xlsform": "XLSForm workbook (KoboToolbox, ODK)",
    "reproschema": "ReproSchema activity",
    "csv": "Codebook",
    "json": "Definition as JSON",
}
"""Format -> what people call it."""


def export_instrument(instrument: Instrument, format_: str, *, wording: Wording | None = None) -> dict[str, bytes]:
    """Export an instrument.

    Parameters
    ----------
    instrument : Instrument
        In the variant that is wanted.
    format_ : str
        One of `FORMATS`.
    wording : Wording, optional
        The questions; without it our concepts stand in their place, and the file says so.

    Returns
    -------
    dict
        Relative path -> content, the file to open first; the same instrument gives the same bytes.

    Raises
    ------
    InstrumentError
        The format is unknown, or the instrument holds no items.
    """
    from instruments.exchange import codebook, fhir, redcap, reproschema, xlsform

    if format_ not in FORMATS:
        raise InstrumentError(
            Problem("unknown_format", f"There is no format '{format_}'.", choose_from(format_, FORMATS), key="--format")
        )
    if format_ == "json":
        return {f"{instrument.id}.json": codebook.render_json(instrument).encode()}
    if not instrument.items:
        reason = f"{instrument.short_name} holds no items: {instrument.licence.terms}"
        raise InstrumentError(Problem("no_items", reason, instrument.licence.contact or "Ask its owner."))
    if format_ == "fhir":
        language = wording.language if wording else "en"
        document = fhir.build_questionnaire(instrument, wording=wording, language=language)
        return {f"{instrument.id}.fhir.json": (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()}
    if format_ == "redcap":
        return {f"{instrument.id}.redcap.csv": redcap.render_data_dictionary(instrument, wording=wording).encode()}
    if format_ == "csv":
        return {f"{instrument.id}.codebook.csv": codebook.render_codebook(instrument, wording=wording).encode()}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if format_ == "xlsform":
            xlsform.write_xlsform(instrument, folder / f"{instrument.id}.xlsx", wording=wording)
        else:
            reproschema.write_reproschema(instrument, folder, wording=wording)
        written = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: len(path.parts))
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in written}
