"""What must not be seen, and the study whose files hold it."""

from collections.abc import Mapping

CANARIES: Mapping[str, str] = {
    "a home folder": "nimueh.castellwright",
    "a folder name": "Saoirse Penhallow",
    "a file name": "Ottoline Drumgoole",
    "a file name of digits": "07700900417",
    "a name in an undeclared column": "Zelmira Quostrand",
    "an e-mail in an undeclared column": "quillan.maddox@mail.example",
    "a phone number": "+44 7700 900523",
    "a postal address": "14 Larkspurry Mews",
    "a birth date": "1961-03-29",
    "an IP address": "203.0.113.77",
    "an IPv6 address": "2001:db8::beef:77",
    "a latitude": "51.507351",
    "a longitude": "-0.127758",
    "an exact time": "2031-10-17 09:41:37",
    "a day of answers": "2031-10-17",
    "free text in an undeclared column": "My dentist Fiachra knows",
    "a question with a name": "How did Ysoldine Fennimore help you?",
    "a name as the id": "Octavian Brackwaite",
    "an e-mail as the id": "thessaly.vornholt@posteo.example",
    "an id told at both timepoints": "Wilhemina Gastrell",
    "an id like another": "wilhemina-gastrell",
    "free text in an item cell": "ask my sister Bronagh",
    "free text in a covariate cell": "about Mordecaius' age",
    "free text in a level cell": "like Perpetua, either",
    "free text in a date cell": "the day Hildegund left",
    "free text in an arm cell": "with Cuthbertina please",
    "free text in a timepoint cell": "after Evangelos died",
    "a name as a group": "Circle of Theodoric",
    "a name as a site": "Clinic Dr Zoltanka",
    "an undeclared site": "at Aurelianus' home",
    "free text in a duration": "as Gwendolyne timed it",
    "free text in an attention check": "Lucasta told me two",
    "free text in a honeypot": "Mirabelle's robot",
    "an answer in a row that is too long": "Persephonia, her cat",
    "an e-mail of Qualtrics": "benvolia.strakosch@mail.example",
    "a first name of Qualtrics": "Benvolianna",
    "a question text of Qualtrics": "What would Rosamundine say?",
    "the question of an item of Qualtrics": "Since Balthasarine came: bothered?",
    "a sheet name": "Notes of Eglantine",
    "the author of a workbook": "Leontynette Achterberg",
    "the title of a workbook": "List for Thomasinette",
    "a comment in a workbook": "called Barnabasso twice",
    "a variable label": "Asked by Hyacintha",
    "a value label": "As bad as Cordeliane says",
    "a label that is a code": "Tiberiusz",
    "the file label of SPSS": "Kept by Philippina",
    "a text of SPSS": "Marcelinus wrote this",
    "a data access group": "Ward Sister Agathine",
    "a choice in a dictionary": "As Dorotheanne has it",
    "a field note in a dictionary": "Ask Konstantinka first",
    "a repeating form": "visits_of_ignatiusz",
    "a question of a form": "What would you tell Georgianna?",
    "an answer in a form": "that Seraphinetta was kind",
    "a display of FHIR": "Ermintrudis, born Vandermolen",
    "an identifier of FHIR": "wenceslausa-4471",
    "an author of FHIR": "Nurse Apolloniana",
    "a text of FHIR": "Told to Scholastika",
    "a questionnaire of FHIR": "urn:radegundis:form",
    "a facilitator": "Ludovicana Starkwether",
    "a code of attendance": "came with Ferdinanda",
    "minutes of a session": "until Isidoruska left",
    "a participant in a log alone": "Valentinka Orsborne",
    "who corrected": "Archibaldo Kerrigane",
    "why it was corrected": "rang Clementia's mother",
    "what was corrected": "ask Rupertinus",
}  # fmt: skip
"""What must not be seen -> the text that stands for it in the files."""
STUDY = """\
study: small
title: A small study
design: randomised
timepoints: [{id: baseline, week: 0}, {id: post, week: 8}]
arms: [{id: peer, label: Peer support}, {id: usual, label: Usual care, reference: true}]
covariates:
  - {id: age, kind: number, range: [18, 99]}
  - {id: gender, kind: category, levels: {f: Woman, m: Man}}
measures:
  - {id: well, label: Well-being, concept: well-being, range: [0, 10], higher_is: better}
  - {id: calm, label: Calm, concept: calm, range: [0, 10], higher_is: better}
missing_codes: {-9: refused}
sources:
  - path: "data/*/answers_*.csv"
    format: csv
    participant_id: pid
    timepoint: {column: wave, values: {1: baseline, 2: post}}
    participant_columns: {arm: arm, age: age, gender: gender, group: circle, site: ward}
    answered_on: {column: day}
    instruments:
      gad-7: {items: "gad_{n}"}
    quality:
      duration: {column: seconds, at_least: 30}
      attention: {check: ["2"]}
      honeypots: [trap]
  - path: data/site.csv
    format: csv
    participant_id: pid
    timepoint: {fixed: baseline}
    participant_columns: {arm: arm, site: {column: site, values: {n: north, s: south}}}
    scores: {well: well}
  - path: data/book.xlsx
    format: excel
    participant_id: pid
    timepoint: {column: wave, values: {1: baseline, 2: post}}
    instruments:
      phq-2: {items: "phq2_{n}"}
  - path: data/qualtrics.csv
    format: qualtrics
    participant_id: ExternalReference
    timepoint: {column: wave, values: {1: baseline, 2: post}}
    instruments:
      gad-2: {items: "GAD2_{n}"}
  - path: data/labels.sav
    format: spss
    participant_id: pid
    timepoint: {column: wave, values: {1: baseline, 2: post}}
    instruments:
      brs-6: {items: "brs_{n}"}
  - path: data/redcap.csv
    format: redcap
    dictionary: dictionary.csv
    participant_id: record_id
    timepoint: {column: redcap_event_name, values: {base_arm_1: baseline, post_arm_1: post}}
    instruments:
      djg-6: {items: "djg_{n}"}
  - path: data/fhir.json
    format: fhir
    participant_id: participant_id
    timepoint: {fixed: post}
    instruments:
      phq-9: {items: "phq-9_{n}"}
  - path: data/form.csv
    format: google_forms
    participant_id: Your code
    timepoint: {fixed: post}
    scores: {calm: "How calm are you today?"}
sessions:
  - path: data/log.csv
    format: csv
    participant_id: who
    session: meeting
    held_on: {column: day, format: "%d/%m/%Y"}
    attended: {column: came, values: {1: attended, 0: absent}}
    facilitator: leader
    group: circle
    minutes: minutes
"""
PLAN = """\
sap: 1
outcomes:
  - {id: anxiety, measure: gad-7.total, role: primary}
estimands:
  - {id: anxiety_post, outcome: anxiety, contrast: peer - usual, timepoint: post, covariates: [age]}
"""
