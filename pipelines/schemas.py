"""Write the JSON Schemas of the documents that people write, so that editors complete and check them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from analysis.plan import Plan
from data_contracts.documents import StrictModel
from instruments import Instrument
from instruments.wording import Wording
from pipelines.study import Study

SCHEMAS: dict[str, type[StrictModel]] = {
    "study.schema.json": Study,
    "sap.schema.json": Plan,
    "instrument.schema.json": Instrument,
    "wording.schema.json": Wording,
}


def render_schemas() -> dict[str, str]:
    """Return file name -> JSON Schema text."""
    return {name: json.dumps(model.model_json_schema(), indent=2) + "\n" for name, model in SCHEMAS.items()}


def main(arguments: list[str]) -> int:
    """Write the schemas to a folder, or with ``--check`` compare them with what is there."""
    folder = Path(arguments[-1])
    if "--check" in arguments:
        stale = [
            name
            for name, text in render_schemas().items()
            if not (folder / name).exists() or (folder / name).read_text() != text
        ]
        print(f"out of date: {', '.join(stale)}; run 'make schemas'" if stale else "schemas are up to date")
        return 1 if stale else 0
    for name, text in render_schemas().items():
        (folder / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
