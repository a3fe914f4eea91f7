"""What tests of the pipeline do with a study folder: change its documents, take its files in."""

from pathlib import Path

from pipelines.folder import open_folder
from pipelines.intake import Intake, take_in

KEY = bytes(range(32))


def taken(folder: Path) -> Intake:
    """Return what the intake makes of a study folder."""
    opened = open_folder(folder)
    return take_in(opened.study.value, opened.data_root, opened.library, KEY)


def rewrite(folder: Path, *changes: tuple[str, str], name: str = "study.yaml") -> None:
    """Replace text in a document of a study folder."""
    text = (folder / name).read_text()
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    (folder / name).write_text(text)
