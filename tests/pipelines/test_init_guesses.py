"""What `peerimpact init` proposes beside instruments: headers, days, quality, attendance, timepoints, options."""

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat
import pytest
import yaml
from typer.testing import CliRunner

from instruments import load_library
from instruments.exchange.fhir import build_questionnaire
from pipelines.checking import check_study
from pipelines.cli import app
from pipelines.folder import open_folder
from pipelines.proposing.days import find_day_formats
from pipelines.proposing.headers import find_header_row
from pipelines.proposing.timepoint_names import FoundTimepoint, name_timepoints

N_PEOPLE = 40
PHQ_9 = build_questionnaire(load_library()["phq-9"])["url"]
IDS = [f"K{n:03}" for n in range(N_PEOPLE)]


def items(stem: str, n_items: int, n_codes: int = 4, shift: int = 0) -> pd.DataFrame:
    """Answers in which every code stands."""
    return pd.DataFrame(
        {f"{stem}{item}": [(person * item + person + shift) % n_codes for person in range(N_PEOPLE)]
         for item in range(1, n_items + 1)}
    )  # fmt: skip


def answers(wave: int) -> pd.DataFrame:
    return pd.concat([pd.DataFrame({"pid": IDS}), items("phq_", 9, shift=wave)], axis=1)


def two_waves(folder: Path) -> list[Path]:
    paths = [folder / "baseline.csv", folder / "post.csv"]
    for wave, path in enumerate(paths):
        answers(wave).to_csv(path, index=False)
    return paths


def init(*words: object, code: int = 0) -> str:
    outcome = CliRunner().invoke(app, ["init", *map(str, words)])
    assert outcome.exit_code == code, outcome.output
    return outcome.output


def written(folder: Path) -> dict:
    return yaml.safe_load((folder / "study.yaml").read_text())


def text_of(folder: Path) -> str:
    return (folder / "study.yaml").read_text()


def reconciliation(folder: Path, root: Path) -> pd.DataFrame:
    return check_study(open_folder(folder, data_root=root)).intake.reconciliation.set_index("source")


def write_rows(path: Path, rows: list[list[object]], *more: str) -> None:
    book = openpyxl.Workbook()
    page = book.active
    for row in rows:
        page.append(row)
    for title in more:
        book.create_sheet(title)
    book.save(path)


def test_a_list_of_participants_below_a_title_tells_arms_and_groups(tmp_path: Path) -> None:
    people = [[pid, ["Peer group", "Usual care"][n % 2], f"G{n % 8}" if n % 2 == 0 else None, 20 + n]
              for n, pid in enumerate(IDS)]  # fmt: skip
    write_rows(tmp_path / "people.xlsx", [["Our participants"], [], ["Code", "Arm", "Group", "Age"], *people], "Notes")
    told = init(*two_waves(tmp_path), tmp_path / "people.xlsx", "--into", tmp_path / "s")
    assert "Its header is in row 3, below other lines." in told
    source = written(tmp_path / "s")["sources"][-1]
    assert (source["header_row"], source["timepoint"]) == (3, {"fixed": "baseline"})
    assert source["participant_columns"]["arm"]["values"] == {"Peer group": "peer_group", "Usual care": "usual_care"}
    assert "meets_in: [peer_group]" in text_of(tmp_path / "s")
    assert reconciliation(tmp_path / "s", tmp_path)["rows_quarantined"].sum() == 0


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([["id", "age"], ["a", 1], ["b", 2]], 1),
        ([["A title"], ["id", "age"], ["a", 1], ["b", 2]], 2),
        ([["List", "2025"], [None], ["id", "age", "arm"], ["a", 1, "p"], ["b", 2, "u"]], 3),
        ([["only"], ["one"], ["column"]], None),
    ],
)
def test_the_header_is_the_first_row_of_words_that_the_rows_below_fit(
    rows: list[list[object]], found: int | None, tmp_path: Path
) -> None:
    write_rows(tmp_path / "a.xlsx", rows)
    assert find_header_row(tmp_path / "a.xlsx", None) == found


def test_an_attendance_log_becomes_sessions_that_check_accepts(tmp_path: Path) -> None:
    log = pd.DataFrame(
        [
            (pid, week, f"{week:02}/02/2025", "10"[(n + week) % 2], "O")
            for n, pid in enumerate(IDS)
            for week in (1, 2, 3)
        ],
        columns=["pid", "week", "held_on", "attended", "format"],
    )
    log.loc[:4, "attended"] = "q"
    log.loc[5, "attended"] = "Ada"
    log.to_csv(tmp_path / "attendance.csv", index=False)
    told = init(*two_waves(tmp_path), tmp_path / "attendance.csv", "--into", tmp_path / "s")
    assert "Probably a log of sessions" in told
    assert "without a meaning yet: q." in told
    assert "Ada" not in told + text_of(tmp_path / "s")
    (source,) = written(tmp_path / "s")["sessions"]
    assert source["attended"] == {"column": "attended", "values": {"0": "absent", "1": "attended"}}
    assert source["meets"]["values"] == {"O": "online"}
    assert "%d/%m/%Y or %m/%d/%Y" in text_of(tmp_path / "s")
    assert reconciliation(tmp_path / "s", tmp_path).loc["attendance.csv", "rows_accepted"] == len(log) - 6


@pytest.mark.parametrize(
    ("names", "key", "told"),
    [
        (["week_1", "week_2", "week_3"], "roster", {"pattern": "week_{n}", "count": "3"}),
        (["2025-02-01", "2025-02-08", "2025-02-15"], "wide",
         {f"2025-02-{day}": f"2025-02-{day}" for day in ("01", "08", "15")}),
    ],
)  # fmt: skip
def test_a_roster_with_a_column_for_each_meeting_becomes_sessions(
    names: list[str], key: str, told: dict[str, str], tmp_path: Path
) -> None:
    roster = pd.DataFrame(
        {name: ["x" if (n + place) % 3 else "-" for n in range(N_PEOPLE)] for place, name in enumerate(names)}
    )
    roster.insert(0, "pid", IDS)
    roster.to_csv(tmp_path / "roster.csv", index=False)
    init(*two_waves(tmp_path), tmp_path / "roster.csv", "--into", tmp_path / "s")
    study = yaml.load(text_of(tmp_path / "s"), yaml.BaseLoader)
    (source,) = study["sessions"]
    assert source[key] == told
    assert source["attended"]["values"] == {"-": "absent", "x": "attended"}
    assert len(study["sources"]) == 2
    assert reconciliation(tmp_path / "s", tmp_path).loc["roster.csv", "rows_accepted"] == N_PEOPLE


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["2025-01-31", "2025-02-01"], ("%Y-%m-%d",)),
        (["31/01/2025", "01/02/2025"], ("%d/%m/%Y",)),
        (["03/04/2025", "01/02/2025"], ("%d/%m/%Y", "%m/%d/%Y")),
        (["2025-01-31T10:00:00.000+02:00"], ("%Y-%m-%dT%H:%M:%S.%f%z",)),
        (["31.01.2025"] * 30 + ["later"], ("%d.%m.%Y",)),
        (["later", "soon"], ()),
        (["7", "9"], ()),
    ],
)
def test_a_day_has_the_formats_that_read_nearly_all_cells(texts: list[str], formats: tuple[str, ...]) -> None:
    assert find_day_formats(pd.Series(texts)) == formats


def test_an_ambiguous_day_is_left_to_a_person_with_both_formats(tmp_path: Path) -> None:
    both = pd.concat([answers(wave).assign(wave=wave, visit_date="03/04/2025") for wave in (1, 2)])
    both.to_csv(tmp_path / "a.csv", index=False)
    init(tmp_path / "a.csv", "--into", tmp_path / "s")
    assert "# DECIDE: day or month first? All values can be read with %d/%m/%Y or %m/%d/%Y" in text_of(tmp_path / "s")
    assert "answered_on" not in written(tmp_path / "s")["sources"][0]


def test_what_a_survey_system_tells_of_time_and_bots_is_proposed_in_comments(tmp_path: Path) -> None:
    told = answers(1).assign(Finished="1", StartDate="2025-01-31 10:00:00", Q_RecaptchaScore="0.9", UserLanguage="EN")
    told["Duration (in seconds)"] = [str(300 + n) for n in range(N_PEOPLE)]
    heads = [{name: name for name in told}, {name: json.dumps({"ImportId": name}) for name in told}]
    pd.concat([pd.DataFrame(heads), told.astype(str)]).to_csv(tmp_path / "wave_1.csv", index=False)
    printed = init(tmp_path / "wave_1.csv", "--timepoints", "start,end", "--into", tmp_path / "s")
    text = text_of(tmp_path / "s")
    assert (
        '# quality: {duration: {column: "Duration (in seconds)", at_least: 106}, bots: {Q_RecaptchaScore: 0.5}}' in text
    )
    assert written(tmp_path / "s")["sources"][0]["answered_on"]["column"] == "StartDate"
    assert "columns of Qualtrics itself are not used: Finished, Q_RecaptchaScore, UserLanguage, Duration" in printed
    assert "nearest" not in printed


def found(*told: tuple[str, str, str]) -> list[FoundTimepoint]:
    return [FoundTimepoint(code, column, path, True) for code, column, path in told]


@pytest.mark.parametrize(
    ("given", "names", "weeks", "is_told"),
    [
        (
            [("", "", "wave_1_qualtrics.csv"), ("week_12", "event", "wave_2/records.csv"), ("", "", "wave_3.sav")],
            ("wave_1", "week_12", "wave_3"), (0, 12, 13), True,
        ),
        ([("", "", "wave_3.sav"), ("week_12", "event", "records.csv")], ("wave_3", "week_12"), (0, 12), False),
        ([("T1", "t", "a.csv"), ("t1", "t", "b.csv"), ("T2", "t", "b.csv")], ("baseline", "time_2"), (0, 1), True),
        ([("month_06", "e", "a.csv"), ("week_4", "e", "a.csv"), ("baseline", "e", "a.csv")],
         ("baseline", "week_4", "month_6"), (0, 4, 26), True),
        ([("6", "month", "a.csv"), ("0", "month", "a.csv")], ("baseline", "month_6"), (0, 26), True),
        ([("2", "wave", "survey_post.csv"), ("1", "wave", "survey_baseline.csv")], ("baseline", "post"), (0, 1), True),
        ([("week_1_call", "e", "a.csv"), ("week_1_visit", "e", "a.csv")], ("week_1_call", "week_1_visit"), (0, 1), True),
    ],
)  # fmt: skip
def test_timepoints_get_clean_names_in_the_order_of_time(
    given: list[tuple[str, str, str]], names: tuple[str, ...], weeks: tuple[float, ...], is_told: bool
) -> None:
    times = name_timepoints(found(*given))
    assert (times.names, times.weeks, times.is_order_told) == (names, weeks, is_told)


def test_an_event_without_answers_is_no_timepoint_of_its_own(tmp_path: Path) -> None:
    visits = answers(1).rename(columns={"pid": "record_id"})
    calls = visits[["record_id"]]
    rows = pd.concat(
        [calls.assign(redcap_event_name="contact_arm_1"), visits.assign(redcap_event_name="week_12_arm_1")]
    )
    rows.to_csv(tmp_path / "records.csv", index=False)
    answers(0).to_csv(tmp_path / "baseline.csv", index=False)
    init(tmp_path / "baseline.csv", tmp_path / "records.csv", "--into", tmp_path / "s")
    study = written(tmp_path / "s")
    assert [one["id"] for one in study["timepoints"]] == ["baseline", "week_12"]
    assert study["sources"][1]["instruments"] == {"phq-9": {"items": {"week_12": "phq_{n}"}}}
    assert study["sources"][1]["timepoint"]["values"]["contact_arm_1"] == "baseline"
    assert reconciliation(tmp_path / "s", tmp_path)["rows_quarantined"].sum() == 0


def test_an_instrument_at_fewer_timepoints_of_a_wide_file_gets_a_crosswalk(tmp_path: Path) -> None:
    parts = [pd.DataFrame({"pid": IDS}), *(items(f"phq_t{t}_", 9, shift=t) for t in (1, 2, 3))]
    pd.concat([*parts, items("gad_t1_", 7), items("gse_t1_", 10) + 1, items("gse_t3_", 10) + 1], axis=1).to_csv(
        tmp_path / "wide.csv", index=False
    )
    init(tmp_path / "wide.csv", "--into", tmp_path / "s")
    told = written(tmp_path / "s")["sources"][0]["instruments"]
    assert told["phq-9"]["items"] == "phq_t{t}_{n}"
    assert told["gad-7"]["items"] == {"baseline": "gad_t{t}_{n}"}
    assert told["gse-10"]["items"] == {"baseline": "gse_t{t}_{n}", "time_3": "gse_t{t}_{n}"}
    done = reconciliation(tmp_path / "s", tmp_path)
    assert (done["rows_accepted"].sum(), done["cells_quarantined"].sum()) == (N_PEOPLE, 0)


def test_an_incomplete_instrument_is_a_list_with_null_once_somebody_says_so(tmp_path: Path) -> None:
    both = pd.concat([answers(wave).assign(wave=wave) for wave in (1, 2)])
    gad = pd.concat([items("gad7_", 7, shift=wave).drop(columns="gad7_4") for wave in (1, 2)])
    pd.concat([both, gad], axis=1).to_csv(tmp_path / "a.csv", index=False)
    init(tmp_path / "a.csv", "--into", tmp_path / "open")
    assert "gad-7: {items: [gad7_1, gad7_2, gad7_3, null, gad7_5, gad7_6, gad7_7]}" in text_of(tmp_path / "open")
    assert "gad-7" not in written(tmp_path / "open")["sources"][0]["instruments"]
    init(tmp_path / "a.csv", "--instrument", "gad-7=gad7_{n}", "--into", tmp_path / "told")
    told = written(tmp_path / "told")["sources"][0]["instruments"]["gad-7"]["items"]
    assert told == ["gad7_1", "gad7_2", "gad7_3", None, "gad7_5", "gad7_6", "gad7_7"]
    assert reconciliation(tmp_path / "told", tmp_path)["cells_quarantined"].sum() == 0


def test_a_slip_among_timepoints_arms_and_numbers_is_no_new_one(tmp_path: Path) -> None:
    both = pd.concat(
        [answers(wave).assign(wave=wave, arm=["p", "u"] * 20, age=30 + wave) for wave in (1, 2, 3)], ignore_index=True
    ).astype(str)
    both["age"] = "44"
    both.loc[0, ["wave", "arm", "age"]] = ["9", "q", "4,5"]
    both.to_csv(tmp_path / "a.csv", sep=";", index=False)
    init(tmp_path / "a.csv", "--into", tmp_path / "s")
    study = written(tmp_path / "s")
    assert [one["id"] for one in study["timepoints"]] == ["baseline", "wave_2", "wave_3"]
    assert [one["id"] for one in study["arms"]] == ["p", "u"]
    assert "decimal_comma" not in text_of(tmp_path / "s")
    assert "rows with the rare code 9 will be set aside" in text_of(tmp_path / "s")


def test_spss_labels_at_other_codes_become_a_label_set_that_ends_the_finding(tmp_path: Path) -> None:
    labels = {0.0: "Nearly every day", 1.0: "More than half the days", 2.0: "Several days", 3.0: "Not at all"}
    for wave, name in enumerate(("wave_1.sav", "wave_2.sav")):
        frame = answers(wave)
        columns = [column for column in frame if column != "pid"]
        pyreadstat.write_sav(frame, tmp_path / name, variable_value_labels=dict.fromkeys(columns, labels))
    init(tmp_path / "wave_1.sav", tmp_path / "wave_2.sav", "--into", tmp_path / "s")
    text = text_of(tmp_path / "s")
    assert "format: spss  #" in text
    assert 'phq_9_answers: {"0": 3, "1": 2, "2": 1, "3": 0}' in text
    assert (check_study(open_folder(tmp_path / "s", data_root=tmp_path)).intake.drift["severity"] != "error").all()


def bundle(wave: int) -> dict[str, object]:
    responses = [
        {"resource": {
            "resourceType": "QuestionnaireResponse", "status": "completed", "authored": f"2025-0{wave}-01T10:00:00Z",
            "id": f"r{wave}{pid}", "questionnaire": PHQ_9, "subject": {"reference": f"Patient/{pid}"},
            "item": [{"linkId": str(n), "answer": [{"valueInteger": (place + n) % 4}]} for n in range(1, 10)],
        }}
        for place, pid in enumerate(IDS)
    ]  # fmt: skip
    return {"resourceType": "Bundle", "type": "collection", "entry": responses}


def test_a_fhir_bundle_is_told_by_its_content(tmp_path: Path) -> None:
    for wave in (1, 2):
        (tmp_path / f"wave_{wave}.json").write_text(json.dumps(bundle(wave)))
    init(tmp_path / "wave_1.json", tmp_path / "wave_2.json", "--into", tmp_path / "s")
    first = written(tmp_path / "s")["sources"][0]
    assert (first["format"], first["participant_id"]) == ("fhir", "participant_id")
    assert reconciliation(tmp_path / "s", tmp_path)["rows_accepted"].tolist() == [N_PEOPLE, N_PEOPLE]


def test_rows_without_ids_need_the_design_that_follows_nobody(tmp_path: Path) -> None:
    both = pd.concat([answers(wave).drop(columns="pid").assign(wave=wave) for wave in (1, 2)])
    both.to_csv(tmp_path / "a.csv", index=False)
    assert "--participant-id" in init(tmp_path / "a.csv", "--into", tmp_path / "s", code=2)
    init(tmp_path / "a.csv", "--design", "repeated_cross_section", "--into", tmp_path / "s")
    assert written(tmp_path / "s")["sources"][0]["participant_id"] == {"anonymous": True}
    assert reconciliation(tmp_path / "s", tmp_path)["rows_accepted"].sum() == 2 * N_PEOPLE


def test_named_columns_of_arm_and_timepoint_go_before_every_guess(tmp_path: Path) -> None:
    frames = [answers(wave).assign(wave="1", zz=f"z{wave}", arm="a", yy=["one", "two"] * 20) for wave in (1, 2)]
    pd.concat(frames).to_csv(tmp_path / "a.csv", index=False)
    init(
        tmp_path / "a.csv",
        "--timepoint-column",
        "zz",
        "--arm",
        "yy",
        "--design",
        "randomised",
        "--into",
        tmp_path / "s",
    )
    study = written(tmp_path / "s")
    assert study["sources"][0]["timepoint"] == {"column": "zz", "values": {"z1": "z1", "z2": "z2"}}
    assert study["sources"][0]["participant_columns"]["arm"]["column"] == "yy"
    assert study["design"] == "randomised"


def test_json_tells_the_same_and_how_many_ids_are_alike(tmp_path: Path) -> None:
    first, second = answers(1), answers(2)
    second["pid"] = second["pid"].str.lower()
    first.to_csv(tmp_path / "baseline.csv", index=False)
    second.to_csv(tmp_path / "post.csv", index=False)
    told = json.loads(init(tmp_path / "baseline.csv", tmp_path / "post.csv", "--into", tmp_path / "s", "--json"))
    assert (told["exit_code"], told["not_read"]) == (0, [])
    assert f"{N_PEOPLE} pairs of ids are alike once case, punctuation, zeros or letters do not count." in told["found"]
    assert told["next"].startswith("peerimpact check ")


def test_the_day_of_enrolment_is_not_the_day_of_the_answers(tmp_path: Path) -> None:
    frames = [answers(wave).assign(wave=wave, date_enrolled="2025-01-31", seen_date="2025-03-31") for wave in (1, 2)]
    pd.concat(frames).to_csv(tmp_path / "a.csv", index=False)
    init(tmp_path / "a.csv", "--into", tmp_path / "s")
    assert written(tmp_path / "s")["sources"][0]["answered_on"] == {"column": "seen_date", "format": "%Y-%m-%d"}


def test_every_checkbox_of_a_question_is_told_in_one_line(tmp_path: Path) -> None:
    boxes = {f"came_by___{place}": "0" for place in (1, 2, 3)}
    pd.concat([answers(wave).assign(wave=wave, **boxes) for wave in (1, 2)]).to_csv(tmp_path / "a.csv", index=False)
    told = init(tmp_path / "a.csv", "--into", tmp_path / "s")
    assert told.count("came_by") == 1


def test_the_start_of_a_form_of_kobotoolbox_is_read_with_its_time_zone(tmp_path: Path) -> None:
    starts = {"start": "2025-01-31T23:30:00.000+02:00", "_uuid": "x", "_submission_time": "2025-02-01T10:00:00"}
    pd.concat([answers(wave).assign(wave=wave, **starts) for wave in (1, 2)]).to_csv(tmp_path / "a.csv", index=False)
    init(tmp_path / "a.csv", "--into", tmp_path / "s")
    told = written(tmp_path / "s")["sources"][0]
    assert (told["format"], told["answered_on"]) == ("kobo", {"column": "start", "format": "%Y-%m-%dT%H:%M:%S.%f%z"})
    assert reconciliation(tmp_path / "s", tmp_path)["cells_quarantined"].sum() == 0


@pytest.mark.parametrize("options", [[], ["--timepoints", "baseline,week_12,week_26"]])
def test_sheets_of_one_workbook_are_timepoints_by_their_names(tmp_path: Path, options: list[str]) -> None:
    with pd.ExcelWriter(tmp_path / "waves.xlsx") as book:
        for wave, sheet in enumerate(("Baseline", "Week 12", "Week 26")):
            answers(wave).to_excel(book, sheet_name=sheet, index=False)
    init(tmp_path / "waves.xlsx", "--into", tmp_path / "study", *options)
    study = written(tmp_path / "study")
    assert [(one["id"], one["week"]) for one in study["timepoints"]] == [
        ("baseline", 0),
        ("week_12", 12),
        ("week_26", 26),
    ]
    told = {source["sheet"]: source["timepoint"]["fixed"] for source in study["sources"]}
    assert told == {"Baseline": "baseline", "Week 12": "week_12", "Week 26": "week_26"}
    assert reconciliation(tmp_path / "study", tmp_path)["rows_accepted"].tolist() == [N_PEOPLE] * 3


def test_an_instrument_that_is_there_in_part_is_compared_in_its_variants_too(tmp_path: Path) -> None:
    table = pd.concat([pd.DataFrame({"pid": IDS}), items("cesd", 12).add(0)], axis=1)
    table[[f"cesd{n}" for n in range(1, 13)]] += 1
    table.to_csv(tmp_path / "half.csv", index=False)
    init(
        tmp_path / "half.csv",
        "--into",
        tmp_path / "study",
        "--instrument",
        "ces-d=cesd{n}",
        "--timepoints",
        "baseline,post",
    )
    assert written(tmp_path / "study")["variants"] == {"ces-d": ["one-to-four"]}


def test_a_kobo_workbook_is_known_by_its_repeats(tmp_path: Path) -> None:
    with pd.ExcelWriter(tmp_path / "form.xlsx") as book:
        answers(0).assign(_index=range(1, N_PEOPLE + 1)).to_excel(book, sheet_name="Form", index=False)
        pd.DataFrame({"role": ["friend"], "_parent_table_name": ["Form"], "_parent_index": [1]}).to_excel(
            book, sheet_name="guests", index=False
        )
    assert "form.xlsx: kobo" in init(
        tmp_path / "form.xlsx", "--into", tmp_path / "study", "--timepoints", "baseline,post"
    )
