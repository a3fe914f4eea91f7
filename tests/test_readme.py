"""Every command that the README shows is run here, as it stands there."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import app

DRY_ONLY = {"make test", "make check", "make dev", "make lock", "make schemas"}
"""`make test` and `make check` are this suite and its sister; `make dev` has a test of its own, the others write into the project."""


def commands(project: Path) -> list[str]:
    blocks = re.findall(r"```(?:console|sh)\n(.*?)```", (project / "README.md").read_text(), flags=re.DOTALL)
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line]


def test_every_command_of_the_readme_runs(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(project / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("output"))
    monkeypatch.chdir(tmp_path)
    shown = commands(project)
    assert {"make demo", "make test"} <= set(shown)
    for command in shown:
        words = shlex.split(command)
        if words[0] == "peerimpact":
            outcome = CliRunner().invoke(app, words[1:])
            assert outcome.exit_code == 0, f"{command}\n{outcome.output}"
        elif command in DRY_ONLY:
            subprocess.run(["make", "--dry-run", *words[1:]], cwd=project, check=True, capture_output=True)
        elif command == "make demo":
            outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
            done = subprocess.run(words, cwd=project, env=outside, check=True, capture_output=True, text=True)
            report = Path(done.stdout.strip().splitlines()[-1])
            assert (project / report).is_file()
        elif words[0] not in ("source", ".", "git", "cd"):
            pytest.fail(f"the README shows a command that no test runs: {command}")


def test_the_readme_speaks_only_of_files_that_are_there(project: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (project / "README.md").read_text()):
        assert target.startswith("https://") or (project / target).exists(), target
