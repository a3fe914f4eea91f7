"""Settings from the environment: where studies and secrets are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from data_contracts.documents import load_document
from pipelines.study import Study


def key_file() -> Path:
    """Return the file of the pseudonyms' key: ``PEERIMPACT_KEY_FILE``, else in the user's configuration folder."""
    configured = os.environ.get("PEERIMPACT_KEY_FILE")
    if configured:
        return Path(configured)
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "peerimpact" / "pseudonym.key"


def study_folders() -> Iterator[tuple[str, Path]]:
    """Yield (study id, folder) for every study below the folders of ``PEERIMPACT_STUDIES`` (default ``examples``).

    Raises
    ------
    DataContractError
        A study.yaml there is wrong.
    """
    for root in os.environ.get("PEERIMPACT_STUDIES", "examples").split(os.pathsep):
        for path in sorted(Path(root).glob("*/study.yaml")):
            yield load_document(path, Study).value.study, path.parent.resolve()
