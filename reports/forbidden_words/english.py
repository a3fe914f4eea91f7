"""Words that claim too much in English."""

from __future__ import annotations

from typing import Final

from reports.forbidden_words.words import NAME, ForbiddenWords, any_of

_PROGRAMME: Final = (
    r"(?:(?:the|our|this|these|its|their|being in|being part of|taking part in|joining|attending|going to)\s+)*"
    rf"(?:programme|program|peer|groups?|intervention|support|{NAME})"
)
ENGLISH: Final = ForbiddenWords(
    claims=any_of(
        r"effect(?:s|ed|ing|ive|ively|iveness)?",
        r"impact(?:s|ed|ing|ful)?",
        r"caus(?:e|es|ed|ing|al|ally|ation)",
        r"(?:lead|leads|leading|led) to",
        r"improv(?:e|es|ed|ing|ement|ements)",
        r"(?:result|results|resulted|resulting) in",
        r"works|worked",
        r"thanks to",
        r"reduc(?:e|es|ed|ing|tion|tions)",
        r"increas(?:e|es|ed|ing)",
        r"(?:lower|rais)(?:s|es|ed|ing)",
        r"decreas(?:e|es|ed|ing)",
        r"diminish(?:es|ed|ing)?|lessen(?:s|ed|ing)?|alleviat(?:e|es|ed|ing)|mitigat(?:e|es|ed|ing)",
        r"(?:boost|strengthen)(?:s|ed|ing)?|(?:enhanc|promot|heal|cur)(?:es|ed|ing)|eas(?:es|ed|ing)|reliev(?:e|es|ed|ing)",
        r"prevent(?:s|ed|ing|ion)?",
        r"help(?:s|ed|ing|ful)",
        r"mak(?:e|es|ing) (?:people|participants|members|them|everybody|everyone|you) (?:feel|better|less|more)",
        r"ma(?:kes?|de|king) (?:a|the|all the|any)(?: \w+)? difference",
        r"(?:brings?|brought|bringing) (?:about|down|up)",
        r"produc(?:e|es|ed|ing) (?:\w+ ){0,3}(?:lower|higher|better|fewer|less|more|change|changes|difference)",
        r"contribut(?:e|es|ed|ing|ion|ions) to",
        r"stem(?:s|med|ming)? from|responsible for|owed to",
        r"attribut(?:able|e|es|ed|ing)(?: \w+){0,4} to",
        r"benefi(?:t|ts|ted|ting|tted|tting|cial)",
        r"efficac(?:y|ious)",
        rf"(?:due to|because of|owing to|on account of|down to|(?:result|consequence) of) {_PROGRAMME}",
        after=r"(?!\w)",
    ),
    followed=any_of(
        r"(?:who|people|participants|they|everybody|nobody|some)\s+(?:(?:have|has|had)\s+)?"
        r"(?:changed|stayed|left|dropped out|started|finished|recover(?:ed)?|deteriorated|"
        r"(?:got|became)\s+(?:better|worse))"
    ),
    harmless=any_of(
        r"(?:how much|how far|whether)\b[^.:;!?]{0,60}?\b(?:due to|because of)",
        r"late effects?|causes? of (?:death|the disease|illness)",
        r"(?:works|worked) (?:in|at|from|nights|shifts)|increasing (?:age|numbers?|difficulty)",
        r"(?:not|never|nobody) (?:been |yet |has |have )*(?:shown|proved|proven|known) (?:to|that)\b[^.:;!?]{0,30}?"
        r"\b(?:effective|help(?:s|ed)?|works?|worked|prevents?|reduces?)",
        r"drawing alone could have made a difference",
    ),
    technical=("fixed effects", "random effects", "mixed effects", "effective sample size"),
)
