"""The Dagster user interface on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipelines.settings import study_folders

INSTANCE_SETTINGS = """\
telemetry:
  enabled: false
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""
"""No telemetry, and no copies of what steps print."""


def serve(host: str, port: int) -> None:
    """Register the studies and replace this process by `dagster dev`.

    The instance lives in ``DAGSTER_HOME`` (default ``.dagster`` here), with telemetry off unless its dagster.yaml was
    there before.
    """
    home = Path(os.environ.get("DAGSTER_HOME", ".dagster")).resolve()
    home.mkdir(parents=True, exist_ok=True)
    settings = home / "dagster.yaml"
    if not settings.exists():
        settings.write_text(INSTANCE_SETTINGS)
    os.environ["DAGSTER_HOME"] = str(home)
    register_studies()
    command = [sys.executable, "-m", "dagster", "dev", "-h", host, "-p", str(port), "-m", "pipelines.definitions"]
    os.execv(sys.executable, command)  # noqa: S606 - no shell is wanted


def register_studies() -> list[str]:
    """Add a partition for every study below PEERIMPACT_STUDIES to the instance in DAGSTER_HOME; return their ids."""
    import dagster as dg

    from pipelines.assets.common import STUDIES

    names = [name for name, _ in study_folders()]
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(str(STUDIES.name), names)
    return names
