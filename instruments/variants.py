"""Variants of an instrument: the same questions with other codes, in another order, or under another missing rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from data_contracts.errors import Problem, choose_from
from instruments.errors import InstrumentError
from instruments.model import Instrument
from instruments.parts import Variant


def apply_variants(instrument: Instrument, variants: Sequence[str]) -> Instrument:
    """Return the instrument as a variant has it.

    Parameters
    ----------
    instrument : Instrument
        The definition; it stays as it is.
    variants : sequence of str
        Ids of its variants, applied in this order; none returns the instrument itself.

    Returns
    -------
    Instrument
        An instrument of the same id, scored like any other. Item ids are the numbers that the variant prints. Bands
        and smallest changes of a measure whose range changes are left out, unless the variant gives bands of its own.
        It is a draft where the variant is unconfirmed.

    Raises
    ------
    InstrumentError
        A variant is unknown, two change the same, or the definition does not hold together with them.
    """
    if not variants:
        return instrument
    known = {variant.id: variant for variant in instrument.variants}
    unknown = [name for name in variants if name not in known]
    if unknown:
        raise InstrumentError([
            Problem("unknown_variant", f"{instrument.id} has no variant '{name}'.", choose_from(name, known))
            for name in unknown
        ])  # fmt: skip
    chosen = [known[name] for name in variants]
    changed = [part for variant in chosen for part in _changes(variant)]
    if len(set(changed)) < len(changed):
        raise InstrumentError(
            Problem(
                "variants_exclude_each_other",
                f"Of {instrument.id} variants are named that change the same: {', '.join(variants)}.",
                "Name one of them.",
            )
        )
    data = instrument.model_dump()
    for variant in chosen:
        _recode(data, variant)
        _reorder(data, variant)
    confirmed = all(variant.status == "confirmed" for variant in chosen)
    data["facts"]["variant"] = {
        "status": "confirmed" if confirmed else "unconfirmed",
        "source": "; ".join(f"{variant.label}: {variant.source}" for variant in chosen),
    }
    if any(measure["bands"] for measure in data["measures"]):
        data["facts"].setdefault("bands", data["facts"]["variant"])
    data["variants"], data["examples"] = [], []
    try:
        return Instrument.model_validate(data)
    except ValidationError as error:
        told = "; ".join(str(each["msg"]) for each in error.errors())
        raise InstrumentError(
            Problem(
                "variants_do_not_fit",
                f"With {' and '.join(variants)} the definition of {instrument.id} contradicts itself: {told}",
                "Name other variants, or give the definition what they change.",
            )
        ) from None


def _changes(variant: Variant) -> list[tuple[str, ...]]:
    """Return what a variant changes."""
    measures = [(name, key) for name, each in variant.measures.items() for key in each.model_dump(exclude_none=True)]
    return [*(("answers", name) for name in variant.response_sets), *measures, *([("order",)] if variant.order else [])]


def _recode(data: dict[str, Any], variant: Variant) -> None:
    """Replace response sets, and what the variant changes of measures."""
    data["response_sets"] |= {name: each.model_dump() for name, each in variant.response_sets.items()}
    for measure in data["measures"]:
        changes = variant.measures.get(measure["id"])
        if changes is None:
            continue
        if changes.range is not None and changes.range != measure["range"]:
            measure["bands"] = []
            data["smallest_change"] = [one for one in data["smallest_change"] if one["measure"] != measure["id"]]
        measure |= changes.model_dump(exclude_none=True)


def _reorder(data: dict[str, Any], variant: Variant) -> None:
    """Give the items the numbers under which the variant prints them."""
    if not variant.order:
        return
    ids = [item["id"] for item in data["items"]]
    printed = dict(zip(variant.order, ids, strict=True))
    by_id = {item["id"]: item for item in data["items"]}
    data["items"] = [by_id[old] | {"id": printed[old]} for old in variant.order]
    for measure in data["measures"]:
        if measure["items"] != "all":
            measure["items"] = [printed[old] for old in measure["items"]]
    if data["loinc"]:
        data["loinc"]["items"] = {printed[old]: code for old, code in data["loinc"]["items"].items()}
