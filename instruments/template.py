"""A definition to start from."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

from data_contracts.documents import NAME_PATTERN
from data_contracts.errors import Problem
from instruments.errors import InstrumentError
from instruments.loading import load_library


def write_template(instrument: str, folder: Path) -> Path:
    """Write ``<instrument>.yaml`` into a folder: a valid draft, with a word on every section.

    Raises
    ------
    InstrumentError
        The id is not one, the folder does not exist, or the file does.
    """
    path = folder / f"{instrument}.yaml"
    if not re.match(NAME_PATTERN, instrument):
        advice = "Use lower case, digits and hyphens, such as phq-9."
        problem = Problem("invalid_id", f"'{instrument}' is no id.", advice, key="ID")
    elif instrument in load_library():
        advice = "Give yours another id."
        problem = Problem("instrument_twice", f"The library has a '{instrument}' already.", advice, key="ID")
    elif not folder.is_dir():
        problem = Problem("folder_missing", "The folder does not exist.", "Make it, or name another.", str(folder))
    elif path.exists():
        problem = Problem("file_exists", "The file exists already.", "Give another id, or move it away.", path.name)
    else:
        text = (resources.files("instruments") / "template.yaml").read_text(encoding="utf-8")
        path.write_text(text.replace("my-instrument", instrument), encoding="utf-8")
        return path
    raise InstrumentError(problem)
