"""Words that claim too much in Spanish."""

from __future__ import annotations

from typing import Final

from reports.forbidden_words.words import NAME, ForbiddenWords, any_of

_PROGRAMME: Final = rf"(?:programa|apoyo|acompañamiento|grupos?|intervención|participación|{NAME})"
_TO_PROGRAMME: Final = rf"a(?:l| la| las| los)? (?:programa|apoyo|acompañamiento|grupos?|intervención|{NAME})"
SPANISH: Final = ForbiddenWords(
    claims=any_of(
        r"(?<!\ben )efecto|efectos",
        r"efectiv(?:o|a|os|as|amente|idad)",
        r"efica(?:z|ces|cia|zmente)",
        r"impact(?:o|os|a|an|ó|aron|ar|ado|ada|ante|antes)",
        r"caus(?:a|as|an|ar|ó|aron|ado|ada|ados|adas|ando|ará|aba|al|ales|almente|alidad)",
        r"provo(?:ca|can|car|có|caron|cado|cada|cando|caba)",
        r"ocasion(?:a|an|ar|ó|aron|ado|ada)",
        r"(?:conduce|conducen|conducir|condujo|condujeron|conducido|conduciendo) al?",
        r"(?:lleva|llevan|llevar|llevó|llevaron|llevado|llevando) al?(?! cabo)",
        r"(?:da|dan|dio|dieron|dar) lugar al?",
        r"(?:resulta|resultan|resultó|resultaron|tradujo|tradujeron|traduce) en",
        r"mejor(?:a|as|an|ar|ará|arán|ó|aron|ado|ada|ados|adas|ando|aba|aban|ía|ías|amiento|amientos|ara|aran)",
        r"gracias al?",
        r"reduc(?:e|en|ir|irá|ido|ida|idos|idas|iendo|ía|ción|ciones|tor)|reduj(?:o|eron|era|eran)",
        r"aument(?:a|an|ar|ó|aron|ado|ada|ados|adas|ando|o|os|aba|ará)",
        r"increment(?:a|an|ar|ó|aron|ado|ada|o|os)",
        r"disminu(?:ye|yen|ir|yó|yeron|ido|ida|yendo|ción|ciones)",
        r"elev(?:a|an|ar|ó|aron)",
        r"ayud(?:ó|aron|ado|ando|ará|an)|ayuda (?:a|al)|ayuda (?:mucho|bastante)",
        r"(?:baj(?:ó|aron|ado|a|an)|sub(?:ió|ieron|ido|e|en)) (?:el|la|los|las|su|sus)",
        r"alivi(?:a|an|ar|ó|aron|ado|ando)|mitig(?:a|an|ar|ó|aron|ado|ando)|aten(?:úa|úan|uar|uó|uaron|uado)",
        r"(?:hizo|hicieron|hace|hacen|hecho) que",
        r"produ(?:jo|jeron|ce|cen|cir|cido|ciendo)",
        r"contribu(?:yó|yeron|ye|yen|ir|ido|yendo|ción|ciones) (?:a|al|en)",
        r"influ(?:ye|yen|yó|yeron|ir|ido|encia|yente) (?:en|sobre)",
        r"previ(?:ene|enen|no|nieron)|preven(?:ir|ción|ido|tivo|tiva)",
        r"favorec(?:e|en|ió|ieron|er|ido|iendo)|promuev(?:e|en)|promovi(?:ó|eron)|fomenta(?:n|ron)?|fomentó",
        r"refuerza(?:n)?|reforz(?:ó|aron|ado|ar)|fortalec(?:e|en|ió|ieron|er|ido)|potenció|potenciaron",
        r"logr(?:a|an|ó|aron|ado) (?:que|una?|menos|más|reduc\w+|baj\w+)|consigui(?:ó|eron)",
        r"(?:marc|hac)(?:a|an|ó|aron|e|en) la diferencia|hizo la diferencia",
        r"benefici(?:o|os|oso|osa|osos|osas|ó|a|an|aron|ado|ar)",
        r"(?:es|son|era|fue|fueron) (?:fruto|resultado|consecuencia) del?|fruto del?",
        rf"(?:como|a) (?:resultado|consecuencia|causa|raíz) (?:del?|de la|de los|de las|de nuestro) {_PROGRAMME}",
        rf"se explican? por (?:el |la |los |las |nuestro )?{_PROGRAMME}",
        r"funcion(?:a|an|ar|ó|aron|ado|ando|aba|ará)",
        r"atribu(?:ible|ibles|ido|ida|idos|idas|ye|yen|ir) al?",
        rf"debid[oa]s? {_TO_PROGRAMME}",
        rf"(?:debe|deben|debió|debieron)(?: en parte)? {_TO_PROGRAMME}",
        after=r"(?!\w)",
    ),
    followed=any_of(
        r"(?:(?:personas|participantes|gente|quienes|ellos|ellas|todos|todas|todo el mundo|nadie|algun[oa]s|much[oa]s)"
        r"(?: (?:encuestad|entrevistad)[oa]s)?(?: que)?|(?:los|las|aquell[oa]s) que)\s+"
        r"(?:(?:se|ya|no|ha|han|había|habían|lo|la)\s+)*"
        r"(?:cambi(?:ó|aron|ado)|qued(?:ó|aron|ado)|permanec(?:ió|ieron|ido)|abandon(?:ó|aron|ado)|"
        r"dej(?:ó|aron|ado)|se (?:fue|fueron|ha ido|han ido|había ido|habían ido)|"
        r"march(?:ó|aron|ado)|emp(?:ezó|ezaron|ezado)|comenz(?:ó|aron|ado)|"
        r"inici(?:ó|aron|ado)|termin(?:ó|aron|ado)|finaliz(?:ó|aron|ado)|"
        r"recuper(?:ó|aron|ado)|empeor(?:ó|aron|ado)|mejor(?:ó|aron|ado))"
    ),
    harmless=any_of(
        r"(?:cuánto|cuánta|qué parte|qué proporción|en qué medida|hasta qué punto|si)\b[^.:;!?]{0,60}?"
        r"\b(?:se debe|se deben|es debid[oa]|son debid[oa]s)",
        rf"a causa (?!(?:del?|de la|de los|de las|de nuestro) {_PROGRAMME})",
        r"efectos? tardíos?|causas? (?:de (?:la )?muerte|del fallecimiento)",
        r"(?:sorteo|error)\b[^.:;]{0,50}\bproduc(?:ir|ido)|produce el azar|no dicen en cuántas\b[^.:;]{0,50}\bprodujo",
        r"aumento de (?:la )?edad",
        r"(?:no|nunca|nadie) (?:se )?(?:ha |han )?(?:demostrado|demostró|probado) que\b[^.:;!?]{0,40}?"
        r"\b(?:sea|fuera|es) (?:eficaz|efectiv[oa])",
    ),
    technical=(
        "efectos fijos", "efecto fijo", "efectos aleatorios", "efecto aleatorio", "efectos mixtos",
        "tamaño efectivo de la muestra", "tamaño de muestra efectivo", "tamaño muestral efectivo",
    ),
)  # fmt: skip
