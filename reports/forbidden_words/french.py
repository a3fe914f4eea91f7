"""Words that claim too much in French."""

from __future__ import annotations

from typing import Final

from reports.forbidden_words.words import NAME, ForbiddenWords, any_of

_PROGRAMME: Final = rf"(?:programme|soutien|entraide|accompagnement|groupes?|intervention|participation|{NAME})"
_TO_PROGRAMME: Final = rf"(?:au |aux |à la |à l'|à ){_PROGRAMME}"
_OF_PROGRAMME: Final = rf"(?:du |de la |des |de l'|de notre |de nos |de |d')(?:participation au )?{_PROGRAMME}"


_LOOSE: Final = str.maketrans({"é": "[ée]", "è": "[èe]", "î": "[îi]", "û": "[ûu]", "ç": "[çc]", "'": "['’]"})
"""Accents, which capitals often lack, and the two apostrophes."""
_CLAIMS: Final = tuple(
    word.translate(_LOOSE)
    for word in (
        r"(?<!\ben )effets?",
        r"(?:in)?efficac(?:e|es|ement|ité)",
        r"impact(?:s|e|es|ent|é|ée|és|ées|er|ant)?",
        r"caus(?:e|es|ent|é|ée|és|ées|er|ant|ait|al|ale|aux|ales|alité)",
        r"entraîn(?:e|es|ent|é|ée|és|ées|er|ant|ait|era)",
        r"provoqu(?:e|es|ent|é|ée|és|ées|er|ant|ait)",
        r"engendr(?:e|ent|é|ée|és|ées|er)",
        r"suscit(?:e|ent|é|ée|és|ées|er)",
        r"(?:conduit|conduisent|conduire|conduisait|mène|mènent|mener|menait) (?:à|au|aux)(?! bien\b)",
        r"(?:a|ont|avait|avaient|aurait|auraient|ayant) (?:conduit|mené|abouti) (?:à|au|aux)(?! bien\b)",
        r"amélior(?:e|es|ent|é|ée|és|ées|er|ant|ait|era|ation|ations)",
        r"(?:se|s'est|se sont|est) tradui(?:t|sent|te|tes|ts)? par",
        r"grâce (?:à|au|aux)",
        r"rédui(?:t|te|ts|tes|re|sent|sant|sait|ra)|réduction|réductions",
        r"augment(?:e|es|ent|é|ée|és|ées|er|ant|ait|era|ation|ations)",
        r"diminu(?:e|es|ent|é|ée|és|ées|er|ant|ait|tion|tions)",
        r"abaiss(?:e|ent|é|ée|és|ées|er|ement)|(?:fait|font) (?:baisser|monter|reculer)",
        r"perm(?:et|ettent|ettait|ettra|is) (?:une|un|de réduire|de diminuer|aux participants|d'aller mieux)",
        r"(?:a|ont|avait|ayant) produit|produi(?:sent|sait) (?:une?|des)|produit une",
        r"atténu(?:e|ent|é|ée|és|ées|er|ant|ait|ation)|soulag(?:e|ent|é|ée|és|ées|er|ant|ait|ement)",
        r"contribu(?:e|ent|é|er|ant|ait|tion|tions) (?:à|au|aux)",
        r"favoris(?:e|ent|é|ée|és|ées|er|ant|ait)|renforc(?:e|ent|é|ée|és|ées|er|ant|ait|ement)|renforçait",
        r"prévien(?:t|nent)|préven(?:ir|u|ue|us|ues|ait|tion|tif|tive)",
        r"bénéfi(?:que|ques|ce|ces|cie|cient|cié|cier)",
        r"(?:fait|font|faisait|feront) (?:la|une|toute la) différence",
        r"accroî(?:t|tre)|accroissent|accru|accrue|allège|allègent|allégé",
        rf"(?:résulte|résultent|vient|viennent|provient|proviennent|découle|découlent|résultant) {_OF_PROGRAMME}",
        rf"(?:en raison|à cause|du fait|par suite|à la suite) {_OF_PROGRAMME}",
        rf"s'expliqu(?:e|ent) par (?:le |la |les |l'|notre )?{_PROGRAMME}",
        r"fonctionn(?:e|es|ent|é|er|ait|era)",
        rf"(?:programme|soutien|entraide|accompagnement|intervention|{NAME}|pairs|ça|cela|il|qui) "
        r"march(?:e|ent|ait)|(?:a|ont|avait) marché",
        r"attribu(?:able|ables|é|ée|és|ées|er|e|ent) (?:à|au|aux)",
        r"(?:tiré profit|profité) (?:de|du|des)",
        rf"d(?:û|ue|us|ues) {_TO_PROGRAMME}",
    )
)
FRENCH: Final = ForbiddenWords(
    claims=any_of(
        *_CLAIMS,
        rf"{_PROGRAMME} (?:(?:a|ont) )?(?:\w+ )?(?:baiss|aid)(?:é|e|ent|era)",
        r"(?:a|ont|avait|ayant) aidé|aide(?:nt)? les",
        r"(?:a|ont|avait|ayant) (?:baissé|remonté) (?:le|la|les|l['’])",
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
        r"n.(?:a|ont) (?:pas|jamais) (?:été )?(?:montré|démontré|prouvé)\b[^.:;!?]{0,40}?\befficaces?",
    ),
    technical=(
        "effets fixes", "effet fixe", "effets aléatoires", "effet aléatoire", "effets mixtes",
        "taille effective de l'échantillon", "taille effective de l’échantillon", "taille d'échantillon effective",
        "taille d’échantillon effective",
    ),
)  # fmt: skip
