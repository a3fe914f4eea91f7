"""Words that claim too much in English."""

from __future__ import annotations

from typing import Final

from reports.forbidden_words.words import NAME, ForbiddenWords, any_of, verbs

_PROGRAMME: Final = (
    r"(?:(?:the|our|this|these|its|their|being in|being part of|taking part in|joining|attending|going to)\s+)*"
    rf"(?:programme|program|peer|groups?|intervention|support|{NAME})"
)
_GROUPS: Final = r"(?:groups|programmes|programs|peers|interventions|facilitators)"
_MODAL: Final = r"(?:can|could|may|might|will|would|should|must|does|do|did)(?: \w+ly| also| not)?"
_CHANGE: Final = r"(?:differences?|changes?|drops?|falls?|rises?|declines?|gains?)"
_OUTCOME: Final = (
    rf"(?:(?:the|their|our|how) )*(?:mood|stigma|well-?being|anxiety|depression|symptoms|recovery|health|distress|hope|"
    rf"loneliness|confidence|self-esteem|sleep|outcomes?|people|{NAME})"
)
_DENIED: Final = (
    r"(?:effective|helps?|helped|works?|worked|caus(?:e|es|ed)|reduc(?:e|es|ed)|improv(?:e|es|ed)|increas(?:e|es|ed)|"
    r"prevents?|lowers?|lowered|raises?|led to|a success|successful|the reason for (?:this|the difference))"
)
_SEEN: Final = r"(?=[.,;:?!]|$| (?:over|from|to|by|towards?|between|at|in|after|during|again)\b)"
ENGLISH: Final = ForbiddenWords(
    claims=any_of(
        r"effect(?:s|ed|ing|ive|ively|iveness)?",
        r"impact(?:s|ed|ing|ful)?",
        r"caus(?:e|es|ed|ing|al|ally|ation)",
        r"(?:lead|leads|leading|led) to",
        r"improv(?:e|es|ed|ing|ement|ements)",
        r"(?:result|results|resulted|resulting) in",
        r"works|worked",
        rf"(?:{_GROUPS}|do|does|did|seems? to|appears? to|will|would) work(?! (?:in|at|as|from|full|part|nights|"
        rf"shifts)\b)",
        rf"(?:{_GROUPS}|{_MODAL}) (?:lower(?! (?:scores?|values?|means?|is|are|than)\b)|raise|ease|cure)",
        rf"(?:{_GROUPS}|{_MODAL}) help(?! (?:each|one another))|to (?:raise|lower|ease) {_OUTCOME}",
        rf"{_PROGRAMME} (?:is|are|was|were) working",
        r"thanks to",
        r"reduc(?:e|es|ed|ing|tion|tions)",
        r"increas(?:e|es|ed|ing)",
        r"(?:lower|rais)(?:s|es|ed|ing)",
        r"decreas(?:e|es|ed|ing)",
        r"diminish(?:es|ed|ing)?|lessen(?:s|ed|ing)?|alleviat(?:e|es|ed|ing)|mitigat(?:e|es|ed|ing)",
        r"(?:boost|strengthen|heal|foster)(?:s|ed|ing)?|(?:cur|eas)(?:es|ed|ing)",
        verbs("enhanc promot reliev", "e|es|ed|ing"),
        r"prevent(?:s|ed|ing|ion)?",
        r"help(?:s|ed|ing|ful)",
        r"(?:made|mak(?:e|es|ing)) (?:people|participants|members|them|everybody|everyone|you) (?:feel|better|less|"
        r"more)",
        r"ma(?:kes?|de|king) (?:a|the|all the|any)(?: \w+)? difference",
        r"(?:brings?|brought|bringing) (?:\S+ ){0,3}(?:about|down|up)|driv(?:es|ing) down|drove down",
        rf"produc(?:e|es|ed|ing) (?:\w+ ){{0,3}}(?:lower|higher|better|fewer|less|more|{_CHANGE})",
        r"(?:is|are|was|were|been|be|proved)(?: (?:a|an|great|real|clear|huge))* success(?:es)?|successful(?:ly)?",
        rf"{_PROGRAMME} (?:succeed(?:s|ed)?|(?:\w+ )?(?:affect|influenc)(?:e|es|s|ed))",
        rf"{_PROGRAMME} {verbs('trigger yield transform generat achiev empower curb minimis protect', 'e?s|e?d')}",
        rf"(?:affect|influenc)(?:e|es|s|ed|ing) {_OUTCOME}|influence on {_OUTCOME}|(?:affected|influenced) by "
        rf"{_PROGRAMME}",
        rf"(?:explain(?:s|ed)|account(?:s|ed) for) (?:\w+ ){{0,3}}{_CHANGE}",
        rf"(?:is|are|was|were) (?:the|a|one|why|the main) reasons? for (?:this|that|it|(?:all )?(?:the|these) (?:\w+ "
        rf")?{_CHANGE})",
        rf"(?:{_CHANGE}|this|it|that)(?: \w+){{0,5}} (?:comes?|came|arises?|arose|derives?|derived) from {_PROGRAMME}",
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
        r"(?:works|worked) (?:in|at|from|full|part|last|as an?|nights|shifts)|questionnaire works|increasing (?:age|"
        r"numbers?|difficulty)",
        r"whether\b[^.,:;!?]{0,60}?\b(?:is the reason for|works?|worked|helps?|helped|is effective|was effective)",
        r"(?:(?:does|do|did|can|could)(?: not|n['’]t)|cannot) (?:be said|prove|mean|show|say|tell|conclude|"
        r"assume)(?: \w+)? "
        rf"(?:that|whether)\b[^.,:;!?]{{0,60}}?\b{_DENIED}",
        rf"(?:no (?:proof|evidence|sign)|not (?:proof|evidence)) that\b[^.,:;!?]{{0,60}}?\b{_DENIED}",
        r"certainty (?:\w+ ){0,3}?(?:is|was|been) (?:lowered|raised|reduced)|(?:lowers|lowered|reduces) (?:the "
        r")?certainty",
        r"(?:concerns|questions|points|issues|doubts) raised|may or may not have (?:caused|helped|worked)",
        r"what caused (?:the |these )?(?:missing|gaps?|losses|loss|absences?|drop-?outs?)",
        r"(?:attendance|turnout|response rate|numbers? of (?:(?:missing|completed) )?(?:answers|people|participants|"
        r"sessions|"
        r"meetings|visits|replies|forms)(?: (?:with|who|in|at|a|the|each|any|score|answered|group|arm|missing))*) "
        rf"(?:has |have )?(?:de|in)creas(?:ed|es|e){_SEEN}",
        r"what (?:would|could|can|might|will) help|how (?:\w+ ){1,3}(?:work|help)",
        r"(?:not|never|nobody) (?:been |yet |has |have )*(?:shown|proved|proven|known) (?:to|that)\b[^.:;!?]{0,30}?"
        r"\b(?:effective|help(?:s|ed)?|works?|worked|prevents?|reduces?)",
        r"drawing alone could have made a difference",
    ),
    technical=("fixed effects", "random effects", "mixed effects", "effective sample size"),
)
