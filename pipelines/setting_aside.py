"""Files of an earlier run are moved aside where what would have taken their place is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

from data_contracts.errors import PeerimpactError

FOLDER: Final = "earlier"


@contextmanager
def set_aside_if_refused(output: Path, names: Iterable[str]) -> Iterator[None]:
    """Leave no file of an earlier run where one was to be written that is refused: it would be taken for the new one.

    Parameters
    ----------
    output : Path
        The output folder.
    names : iterable of str
        Names of the files that are written where nothing is refused.

    Raises
    ------
    PeerimpactError
        What the block raised; where files were moved, its last advice says where to.
    """
    try:
        yield
    except PeerimpactError as error:
        moved = _set_aside(output, names)
        if moved is None:
            raise
        *others, last = error.problems
        advice = f"{last.how_to_fix} Files of an earlier run are now in {output.name}/{moved.name}."
        raise type(error)([*others, replace(last, how_to_fix=advice)]) from None


def _set_aside(output: Path, names: Iterable[str]) -> Path | None:
    """Move files to a folder of their own, for somebody may have been given them; nothing there is overwritten."""
    stale = [output / name for name in dict.fromkeys(names) if (output / name).is_file()]
    if not stale:
        return None
    folder = next(place for number in count(1) if not (place := output / f"{FOLDER}-{number}").exists())
    folder.mkdir()
    for path in stale:
        path.rename(folder / path.name)
    return folder
