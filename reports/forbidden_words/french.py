"""Words that claim too much in French."""

from __future__ import annotations

from typing import Final

from reports.forbidden_words.words import NAME, ForbiddenWords, any_of, verbs

_PROGRAMME: Final = rf"(?:programme|soutien|entraide|accompagnement|groupes?|intervention|participation|{NAME})"
_TO_PROGRAMME: Final = rf"(?:au |aux |à la |à l'|à ){_PROGRAMME}"
_OF_PROGRAMME: Final = rf"(?:du |de la |des |de l'|de notre |de nos |de |d')(?:participation au )?{_PROGRAMME}"


_LOOSE: Final = str.maketrans({"é": "[ée]", "è": "[èe]", "î": "[îi]", "û": "[ûu]", "ç": "[çc]", "'": "['’]"})
"""Accents, which capitals often lack, and the two apostrophes."""
_AVOIR: Final = r"(?:a|ont|avait|avaient|aura|auront|aurait|auraient|ayant)"
_FAIRE: Final = r"(?:fait|font|faire|faisait|faisaient|fera|feront|ferait|feraient|fit|firent)"
_ER: Final = "e|es|ent|é|ée|és|ées|er|ant|ait|aient|era|eront|erait|eraient|a|èrent|ât"
_SAID_ER: Final = "e|ent|er|ant|ait|aient|era|eront|erait|eraient|a|èrent"
_SAID_UIRE: Final = "sent|sait|saient|ra|ront|rait|raient|sit|sirent|re"
_TENIR: Final = "ient|iennent|enait|enaient|iendra|iendront|iendrait|iendraient|int|inrent"
_CHANGE: Final = r"(?:différences?|changements?|évolutions?|baisses?|hausses?|écarts?|progrès|recul)"
_THE_CHANGE: Final = rf"(?:de (?:la |cette |cet |ces |ce |l'|notre )|du |des ){_CHANGE}"
_CLAIMS: Final = tuple(
    word.translate(_LOOSE)
    for word in (
        r"(?<!\ben )effets?",
        r"(?:in)?efficac(?:e|es|ement|ité)",
        r"impacts?|caus(?:al|ale|aux|ales|alité)|augmentations?|améliorations?|diminutions?|atténuation|réductions?",
        verbs("impact caus entraîn provoqu engendr suscit amélior augment diminu abaiss atténu soulag", _ER),
        verbs("soulage favoris renforc renforç fonctionn", _ER),
        r"soulagement|abaissement|renforcement|favoris(?:é|ée)",
        rf"(?:{verbs('condui', _SAID_UIRE + '|t')}|{verbs('men mèn abouti', _SAID_ER)}) (?:à|au|aux)(?! bien\b)",
        rf"{_AVOIR} (?:conduit|mené|abouti) (?:à|au|aux)(?! bien\b)",
        r"(?:se|s'est|se sont|est) tradui(?:t|sent|te|tes|ts)? par|se tradui(?:ra|rait|sit|sait) par",
        r"grâce (?:à|au|aux)",
        verbs("rédui", _SAID_UIRE + "|t|te|ts|tes|sant"),
        rf"{_FAIRE} (?:baisser|monter|reculer|diminuer|chuter|progresser)",
        r"perm(?:et|ettent|ettait|ettra|is) (?:une|un|de réduire|de diminuer|aux participants|d'aller mieux)",
        r"perm(?:et|ettent|ettre|ettait|ettra|ettrait|is|it) (?:aux (?:personnes|gens|membres|pairs)|d'aller|de mieux)",
        rf"{_AVOIR} produit|{verbs('produi', _SAID_UIRE)} (?:une?|des|les?|la|moins|plus)|produit (?:une|moins|plus)",
        rf"{verbs('contribu', _ER + '|tion|tions')} (?:à|au|aux)|y {_AVOIR} contribué",
        rf"{verbs('prév', _TENIR)}|prévenir|préven(?:u|ue|us|ues|tion|tif|tive)",
        r"bénéfi(?:que|ques|ces?|cient|ciera|ciait|cie|cié|cier)",
        rf"{_FAIRE} (?:la|une|toute la) différence",
        r"accroî(?:t|tre|tra|trait)|accroiss(?:ent|ait)|accru|accrue|allèg(?:e|ent|era)|allég(?:é|er|eait)",
        rf"(?:{verbs('résult découl', _SAID_ER)}|{verbs('v prov', _TENIR)}|provenir) {_OF_PROGRAMME}",
        rf"(?:en raison|à cause|du fait|par suite|à la suite) {_OF_PROGRAMME}",
        rf"s'{verbs('expliqu', _SAID_ER)} par (?:le |la |les |l'|notre )?{_PROGRAMME}",
        rf"{verbs('expliqu', _SAID_ER)} (?:la|cette|cet|ces|ce|les|l') ?{_CHANGE}",
        rf"(?:à l'origine|responsables?|la raison|la cause|le résultat|la conséquence) {_THE_CHANGE}",
        rf"(?:programme|soutien|entraide|accompagnement|intervention|{NAME}|pairs|ça|cela|il|qui) "
        rf"{verbs('march', _SAID_ER)}|{_AVOIR} marché",
        rf"(?:{verbs('attribu', _ER)}|attribuables?|imputables?) (?:à|au|aux)(?! bras\b)",
        rf"(?:résultat|conséquence|fruit|fait) {_OF_PROGRAMME}|(?:tiré profit|profité) (?:de|du|des)",
        rf"d(?:û|ue|us|ues) {_TO_PROGRAMME}",
        rf"{_PROGRAMME} (?:{_AVOIR} )?(?:\w+ )?(?:{verbs('baiss aid', _ER)}|réuss(?:i|it|issent|ira))(?! par\b)",
        rf"{_AVOIR} aidé|aide(?:nt)? les|(?:peu(?:t|vent)|pou(?:rra|rrait|rront|rraient)|va|vont) (?:\w+ )?aider",
        rf"{_PROGRAMME} (?:{_AVOIR} )?{verbs('influenc affect génèr génér stimul apais déclench élimin', _ER)}",
        r"(?:été|est|sont|fut) (?:un (?:\w+ )?)?succès",
        rf"{_AVOIR} (?:baissé|remonté) (?:le|la|les|l')",
    )
)
_DENIED: Final = (
    r"(?:efficaces?|fonctionn\w+|marche|aid(?:e|ent|é)|caus(?:e|é|er)|rédui\w+|amélior\w+|un succès|"
    r"la raison de la différence)"
)
_SEEN: Final = r"(?=[.,;:?!]|$| (?:de|à|avec|en|entre|vers|après|depuis|au|pendant)\b)"
FRENCH: Final = ForbiddenWords(
    claims=any_of(
        *_CLAIMS,
        after=r"(?!\w)",
    ),
    followed=any_of(
        r"(?:personnes|personne|participants|participantes|gens|ceux|celles|ils|elles|tous|toutes|tout le monde|"
        r"certains|certaines|quelques-uns|quelques-unes)(?: (?:interrogé|sondé)e?s)?(?: qui)?\s+"
        r"(?:(?:ne|n'|n’|se|s'|s’|y|a|ont|avait|avaient|est|sont|était|étaient)\s*)*"
        r"(?:changée?s?|changèrent|restée?s?|quitté|abandonné|commencé|débuté|terminé|fini|"
        r"(?:est|sont|était|étaient) partie?s?|rétablie?s?|guérie?s?|aggravée?s?|empiré|progressé|devenue?s?|"
        r"(?:allée?s?|vont) (?:mieux|moins bien|plus mal))"
    ),
    harmless=any_of(
        r"(?:combien|quelle part|quelle proportion|dans quelle mesure|jusqu.à quel point|si)\b[^.:;!?]{0,60}?"
        r"\bd(?:û|ue|us|ues)",
        rf"à cause (?!{_OF_PROGRAMME})",
        r"effets? tardifs?|causes? (?:de (?:la )?mort|du décès|de décès)",
        r"augmentation de l.âge",
        r"n(?:e |['’])(?:(?:l['’]|a|ont|est|sont|peut|peuvent|permet|permettent|pas|jamais|été|de|en) ?)*"
        r"(?:prouv|montr|démontr|signifi|veut|concl|sai[st]|savoir|établi|dire|dit|affirm|indiqu)\w*"
        rf"(?: \w+){{0,2}} (?:que |si |qu['’])[^.,:;!?]{{0,60}}?\b{_DENIED}",
        r"comment fonctionne(?:nt)?|questionnaire fonctionne",
        r"(?:participation|assiduité|nombre (?:de |d.)(?:réponses|personnes|séances|participants|rencontres|visites))"
        rf" (?:a |ont )?(?:diminué|augmenté|baissé|diminue|augmente){_SEEN}",
        r"certitude (?:\w+ ){0,2}(?:réduite|diminuée|abaissée)|améliorer le questionnaire|cause des (?:départs|"
        r"absences|données manquantes)|cause possible est le hasard|en augmentant l.effectif",
    ),
    technical=(
        "effets fixes", "effet fixe", "effets aléatoires", "effet aléatoire", "effets mixtes",
        "taille effective de l'échantillon", "taille effective de l’échantillon", "taille d'échantillon effective",
        "taille d’échantillon effective",
    ),
)  # fmt: skip
