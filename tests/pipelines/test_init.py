"""`peerimpact init` as people type it: on made-up exports of each kind, and on real ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipelines.checking import check_study
from pipelines.cli import app
from pipelines.folder import open_folder

NAMES = ["Ada Example", "Ben Sample"]


def init(*words: object, code: int = 0) -> str:
    outcome = CliRunner().invoke(app, ["init", *map(str, words)])
    assert outcome.exit_code == code, outcome.output
    return outcome.output


def answers(wave: int = 0, n_people: int = 40, low: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(wave)
    frame = pd.DataFrame(rng.integers(low, low + 4, (n_people, 9)), columns=[f"phq_{n}" for n in range(1, 10)])
    frame.insert(0, "pid", [f"K{n:03}" for n in range(n_people)])
    frame.insert(1, "arm", ["peer", "usual"] * (n_people // 2))
    frame["email"] = [f"{NAMES[n % 2].split()[0]}{n}@example.org" for n in range(n_people)]
    frame["remarks"] = [f"{NAMES[n % 2]} said thank you for the meeting {n}" for n in range(n_people)]
    return frame


def long(low: int = 0) -> pd.DataFrame:
    return pd.concat([answers(wave, low=low).assign(wave=f"T{wave}") for wave in (1, 2)], ignore_index=True)


def accepts(folder: Path, root: Path) -> pd.DataFrame:
    """What `check` accepts of the folder as written: the rows of each file."""
    return check_study(open_folder(folder, data_root=root)).intake.reconciliation


def write_limesurvey(frame: pd.DataFrame, path: Path) -> None:
    head = pd.DataFrame({"id": range(1, len(frame) + 1), "submitdate": "2025-01-31 10:00:00", "startlanguage": "en"})
    pd.concat([head, frame.reset_index(drop=True)], axis=1).to_csv(path, index=False)


def write_redcap(frame: pd.DataFrame, path: Path) -> None:
    named = frame.rename(columns={"pid": "record_id"}).drop(columns="wave")
    named.insert(1, "redcap_event_name", frame["wave"].map({"T1": "pre_arm_1", "T2": "post_arm_1"}))
    named.assign(phq_complete="2").to_csv(path, index=False)


def write_qualtrics(frame: pd.DataFrame, path: Path) -> None:
    told = frame.assign(Finished="1", Progress="100", ResponseId=[f"R_{n}" for n in range(len(frame))])
    questions = pd.DataFrame([{name: f"Question {name}" for name in told}])
    imports = pd.DataFrame([{name: '{"ImportId":"' + name[0].lower() + name[1:] + '"}' for name in told}])
    pd.concat([questions, imports, told.astype(str)]).to_csv(path, index=False)


def write_first(name: str) -> Callable[[pd.DataFrame, Path], None]:
    """Write with columns in front that a system adds."""

    def write(frame: pd.DataFrame, path: Path) -> None:
        added = {
            "google": {"Timestamp": "2025/01/31 10:00:00"},
            "kobo": {"_uuid": "x", "_submission_time": "2025-01-31T10:00:00"},
            "microsoft": {"ID": "1", "Start time": "2025-01-31 10:00", "Completion time": "2025-01-31 10:05"},
        }[name]
        (pd.concat([pd.DataFrame(added, index=frame.index), frame], axis=1)).to_csv(path, index=False)

    return write


FORMATS = {
    "csv": ("answers.csv", lambda frame, path: frame.to_csv(path, index=False)),
    "excel": ("answers.xlsx", lambda frame, path: frame.to_excel(path, index=False)),
    "parquet": ("answers.parquet", lambda frame, path: frame.to_parquet(path, index=False)),
    "stata": ("answers.dta", lambda frame, path: frame.to_stata(path, write_index=False, version=118)),
    "limesurvey": ("answers.csv", write_limesurvey),
    "redcap": ("answers.csv", write_redcap),
    "qualtrics": ("answers.csv", write_qualtrics),
    "google_forms": ("answers.csv", write_first("google")),
    "kobo": ("answers.csv", write_first("kobo")),
    "microsoft_forms": ("answers.csv", write_first("microsoft")),
}


@pytest.mark.parametrize("name", FORMATS)
def test_an_export_of_each_format_becomes_a_study_that_check_accepts(name: str, tmp_path: Path) -> None:
    file, write = FORMATS[name]
    write(long(), tmp_path / file)
    told = init(tmp_path / file, "--into", tmp_path / "study")
    text = (tmp_path / "study" / "study.yaml").read_text()
    assert f"format: {name}  #" in text
    assert "phq-9: {items: " in text
    assert "DECIDE" in text
    assert accepts(tmp_path / "study", tmp_path)["rows_accepted"].tolist() == [80]
    assert f"--data-root {tmp_path}" in told


def test_nothing_of_a_participant_is_printed_or_written(tmp_path: Path) -> None:
    long().to_csv(tmp_path / "answers.csv", index=False)
    told = init(tmp_path / "answers.csv", "--into", tmp_path / "study")
    everything = told + "".join((tmp_path / "study" / name).read_text() for name in ("study.yaml", "sap.yaml"))
    for secret in ("K00", "Ada", "Ben", "example.org", "thank you"):
        assert secret not in everything
    assert "may identify a person: email, remarks" in everything


def test_a_file_for_each_wave_with_other_column_names_and_codes(tmp_path: Path) -> None:
    answers(1).to_csv(tmp_path / "wave_baseline.csv", index=False)
    later = answers(2, low=1)
    later.columns = [name.replace("phq_", "phq2_") for name in later.columns]
    later.assign(mood_new="1").to_csv(tmp_path / "wave_post.csv", index=False)
    told = init(tmp_path / "wave_post.csv", tmp_path / "wave_baseline.csv", "--into", tmp_path / "s",
                "--instrument", "phq-9=phq2_{n}")  # fmt: skip
    assert "Codes differ. phq-9: " in told
    text = (tmp_path / "s" / "study.yaml").read_text()
    assert "fixed: baseline" in text
    assert "labels: [phq_9_answers]" in text
    assert accepts(tmp_path / "s", tmp_path)["cells_quarantined"].sum() == 0


def test_a_wide_file_and_a_crosswalk_in_one_file(tmp_path: Path) -> None:
    first, second = answers(1), answers(2)
    wide = first.rename(columns=lambda name: name.replace("phq_", "phq_t1_"))
    wide = wide.join(second.filter(like="phq_").rename(columns=lambda name: name.replace("phq_", "phq_t2_")))
    wide.to_csv(tmp_path / "wide.csv", index=False)
    init(tmp_path / "wide.csv", "--into", tmp_path / "wide")
    assert 'items: "phq_t{t}_{n}"' in (tmp_path / "wide" / "study.yaml").read_text()
    assert accepts(tmp_path / "wide", tmp_path)["rows_accepted"].tolist() == [40]
    other = second.rename(columns=lambda name: name.replace("phq_", "PHQ9b_"))
    pd.concat([first.assign(wave=1), other.assign(wave=2)]).to_csv(tmp_path / "long.csv", index=False)
    init(tmp_path / "long.csv", "--into", tmp_path / "long")
    assert 'items: {baseline: "phq_{n}", wave_2: "PHQ9b_{n}"}' in (tmp_path / "long" / "study.yaml").read_text()
    assert accepts(tmp_path / "long", tmp_path)["cells_quarantined"].sum() == 0


def test_texts_without_known_codes_wait_for_a_person(tmp_path: Path) -> None:
    frame = long()
    words = ["nunca", "a veces", "a menudo", "siempre"]
    frame[[f"phq_{n}" for n in range(1, 10)]] = frame.filter(like="phq_").map(lambda code: words[code])
    frame.assign(total=10).to_csv(tmp_path / "a.csv", index=False)
    init(tmp_path / "a.csv", "--into", tmp_path / "s", "--measure", "total=0:27:worse")
    text = (tmp_path / "s" / "study.yaml").read_text()
    assert all(f"{word}" in text for word in words)
    assert "REPLACE_ME" in text
    accepts(tmp_path / "s", tmp_path)


def test_what_cannot_be_guessed_is_asked_by_the_option_that_answers_it(tmp_path: Path) -> None:
    frame = answers(1).drop(columns=["arm", "pid"]).rename(columns=lambda name: name.replace("phq_", "zz"))
    frame.insert(0, "who", [f"K{n}" for n in range(40)])
    frame = frame.rename(columns={f"zz{n}": f"zz{n}x" for n in range(1, 10)})
    frame["zz9x"] = frame["zz9x"] * 7
    frame.to_csv(tmp_path / "a.csv", index=False)
    start = (tmp_path / "a.csv", "--into", tmp_path / "s")
    assert "--measure" in init(*start, code=2)
    asked = init(*start, "--measure", "zz1x=0:3:worse", code=2)
    assert "--participant-id" in asked
    assert "--timepoints" in asked
    assert "who" in init(*start, "--participant-id", "whom", code=2)
    assert not (tmp_path / "s").exists()
    init(*start, "--measure", "zz1x=0:3:worse", "--participant-id", "who", "--timepoints", "baseline,post")
    assert accepts(tmp_path / "s", tmp_path)["rows_accepted"].tolist() == [40]


def test_files_that_cannot_be_read_are_told_and_the_others_used(tmp_path: Path) -> None:
    long().to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    told = init(*(tmp_path / name for name in ("a.csv", "empty.csv", "broken.xlsx")), "--into", tmp_path / "s", code=1)
    assert "empty.csv" in told
    assert "broken.xlsx" in told
    assert "empty" in init(tmp_path / "empty.csv", "--into", tmp_path / "other", code=2)
    assert "study.yaml" in init(tmp_path / "a.csv", "--into", tmp_path / "s", code=2)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "options", "rows"),
    [
        ("help_trial/help_waves.csv", [], 1472),
        (
            "exports/qualtrics/sample.csv",
            ["--participant-id", "ResponseId", "--measure", "Q1=1:5:better", "--timepoints", "baseline,post"],
            1,
        ),
        ("exports/redcap/longitudinal/data.csv", ["--measure", "bmi2=10:60:worse"], 18),
    ],
)
def test_a_real_export_becomes_a_study_once_its_questions_are_answered(
    file: str, options: list[str], rows: int, shared: Path, tmp_path: Path
) -> None:
    path = shared / "data" / file
    if options:
        asked = init(path, "--into", tmp_path / "study", code=2)
        assert "--measure" in asked
    init(path, "--into", tmp_path / "study", *options)
    assert accepts(tmp_path / "study", path.parent)["rows_accepted"].tolist() == [rows]
