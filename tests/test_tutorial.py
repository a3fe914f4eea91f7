"""Every command that the tutorial shows is run here, and prints what the tutorial says that it prints."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.checking import check_study
from pipelines.cli import app
from pipelines.folder import open_folder

ELISION = "..."


@pytest.fixture(scope="module")
def tutorial(project: Path) -> str:
    return (project / "docs" / "tutorial.md").read_text()


@pytest.fixture(scope="module")
def followed(tutorial: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which somebody has typed every command of the tutorial, and compared what was printed."""
    folder = tmp_path_factory.mktemp("monday")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for block in blocks(tutorial, "console"):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, shown = part.partition("\n")
                follow(command, shown.splitlines())
    return folder


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", text, flags=re.DOTALL)


def follow(command: str, shown: list[str]) -> None:
    words = shlex.split(command)
    if words[0] == "cp":
        for name in words[1:-1]:
            shutil.copy(name, words[-1])
        return
    assert words[0] == "peerimpact", f"the tutorial shows a command that no test runs: {command}"
    outcome = CliRunner().invoke(app, words[1:])
    told = [line for line in shown if line.startswith("# exit code ")]
    assert outcome.exit_code == (int(told[0].split()[-1]) if told else 0), f"{command}\n{outcome.output}"
    printed = [line for line in outcome.output.splitlines() if line.strip()]
    assert_is_shown_in([line for line in shown if line.strip() and line not in told], printed, command)


def assert_is_shown_in(shown: list[str], printed: list[str], command: str) -> None:
    """The lines of `shown` stand in `printed`, next to each other but for elisions, from the first to the last."""
    place, may_skip = 0, False
    for line in shown:
        if line == ELISION:
            may_skip = True
            continue
        found = next((at for at in range(place, len(printed)) if is_like(line, printed[at])), None)
        assert found is not None, f"{command}\nnot printed (any more): {line}\n" + "\n".join(printed)
        assert may_skip or found == place, f"{command}\nleft out without a word, before: {line}\n{printed[place:found]}"
        place, may_skip = found + 1, False
    assert may_skip or place == len(printed), f"{command}\nleft out at the end: {printed[place:]}"


def is_like(shown: str, printed: str) -> bool:
    start = shown.removesuffix(f" {ELISION}")
    return printed.startswith(start) if start != shown else printed == shown


def test_every_command_of_the_tutorial_prints_what_it_says(followed: Path, tutorial: str) -> None:
    assert len(re.findall(r"^\$ peerimpact", tutorial, flags=re.MULTILINE)) >= 6
    assert (followed / "kindred" / "output" / "report.html").is_file()


def test_what_the_tutorial_quotes_stands_in_the_solved_study(followed: Path, tutorial: str) -> None:
    study = (followed / "solved" / "study.yaml").read_text()
    for part in blocks(tutorial, "yaml"):
        assert part in study
    log = (followed / "solved" / "corrections.csv").read_text().splitlines()
    quoted = next(block for block in blocks(tutorial, "text") if block.startswith("who,when"))
    assert set(quoted.splitlines()) <= set(log)
    truth = json.loads((followed / "solved" / "truth.json").read_text())["estimands"]
    for name in ("stigma_post", "depression_post"):
        assert f"{-truth[name]:.2f}" in tutorial


def test_the_tutorial_names_every_file_of_the_output_that_a_person_reads(followed: Path, tutorial: str) -> None:
    written = {path.name for path in (followed / "kindred" / "output").iterdir() if path.suffix in (".csv", ".json")}
    assert written == set(re.findall(r"`(\w+\.(?:csv|json))`", tutorial.partition("beside the report:")[2])) - {
        "corrections.csv"
    }


def test_the_ids_and_counts_that_the_tutorial_tells_are_those_of_the_files(followed: Path, tutorial: str) -> None:
    folder = followed / "uncorrected"
    shutil.copytree(followed / "kindred", folder, ignore=shutil.ignore_patterns("output", "corrections.csv"))
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text.replace(", labels: mood_from_1", ""))
    intake = check_study(open_folder(folder)).intake
    assert (intake.quarantine["rule"] == "one_arm_per_participant").sum() == 15
    assert "Fifteen rows" in tutorial
    grave = intake.drift[intake.drift["severity"] == "error"].iloc[0]
    quoted = next(block for block in blocks(tutorial, "text") if not block.startswith("who,when"))
    assert quoted.splitlines() == [grave["told"], grave["how_to_fix"]]


def test_the_tutorial_speaks_only_of_files_that_are_there(project: Path, tutorial: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", tutorial)
    assert targets
    for target in targets:
        assert (project / "docs" / target).exists(), target
