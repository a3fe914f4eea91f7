"""Words that claim too much in Spanish."""

from __future__ import annotations

from typing import Final

from reports.forbidden_words.words import NAME, ForbiddenWords, any_of, verbs

_PROGRAMME: Final = rf"(?:programa|apoyo|acompañamiento|grupos?|intervención|participación|{NAME})"
_TO_PROGRAMME: Final = rf"a(?:l| la| las| los)? (?:programa|apoyo|acompañamiento|grupos?|intervención|{NAME})"
_AR: Final = "a|as|an|ar(?:l[aeo]s?|se|nos)?|á|ó|aron|aba|aban|ará|arán|aría|arían|ara|aran|ado|ada|ados|adas|ando|e|en"
_SAID_AR: Final = "a|an|ar|ó|aron|aba|aban|ará|arán|aría|arían"
_ER: Final = "e|en|er(?:l[aeo]s?)?|ió|ieron|ía|ían|erá|erán|ería|erían|ido|ida|idos|idas|iendo"
_IR: Final = "e|en|ir(?:l[aeo]s?)?|ió|ieron|ía|ían|irá|irán|iría|irían|ido|ida|idos|idas|iendo"
_UIR: Final = "ye|yen|yó|yeron|yendo|ir|ía|ían|irá|irán|iría|irían|ido|ida|idos|idas"
_UCIR: Final = "ce|cen|cir|cía|cían|cirá|cirán|ciría|cirían|cido|cida|cidos|cidas|ciendo|jo|jeron|jera|jeran|zca|zcan"
_CHANGE: Final = r"(?:diferencias?|cambios?|descensos?|bajadas?|subidas?|mejor\w+|reducci\w+|aumentos?)"
_THE_CHANGE: Final = rf"(?:la |las |el |los |est[aeo]s? |es[aeo]s? |l ){_CHANGE}"
_DENIED: Final = (
    r"(?:(?:sea|fuera|es|son|fue) (?:eficaz|efectiv[oa]|útil|un éxito)|funcion\w+|sirv\w+|ayud\w+|caus\w+|redu[cj]\w+|"
    r"mejor\w+|tuv\w+ éxito|la razón de la diferencia)"
)
_SEEN: Final = r"(?=[.,;:?!]|$| (?:de|a|con|en|entre|hasta|tras|desde|un nivel|dos niveles)\b)"
SPANISH: Final = ForbiddenWords(
    claims=any_of(
        r"(?<!\ben )efecto|efectos",
        r"efectiv(?:o|a|os|as|amente|idad)",
        r"efica(?:z|ces|cia|zmente)",
        r"impact(?:os?|antes?)|caus(?:al|ales|almente|alidad)|beneficio(?:s|so|sa|sos|sas)?|aumentos?|incrementos?",
        verbs("impact caus provoc provoqu ocasion mejor aument increment alivi mitig funcion foment benefici", _AR),
        rf"{verbs('condu', _UCIR)} al?|{verbs('llev', _AR)} al?(?! cabo)",
        r"(?:da|dan|dio|dieron|dar) lugar al?",
        r"(?:resulta|resultan|resultó|resultaron|tradujo|tradujeron|traduce) en",
        r"mejor(?:ía|ías|amiento|amientos)",
        r"gracias al?",
        r"reducción|reducciones|reductor|disminución|disminuciones",
        verbs("redu produ", _UCIR), verbs("disminu", _UIR), verbs("elev", _SAID_AR),
        verbs("ayud potenci", _SAID_AR.removeprefix("a|an|ar|")),
        r"ayud(?:an|e|en|ado|ando)|potenci(?:ar?|an|ado) la confianza",
        r"(?:pued[ea]n?|podr(?:á|án|ía|ían)|pudo|pudieron|va a|van a|logra|logró) (?:\w+ )?ayudar(?:l[aeo]s?|nos)?",
        rf"ayuda (?:al?|mucho|bastante)|{_PROGRAMME} (?:(?:no|les?|las|los|nos|te|sí|también) )*ayuda(?! mutua)",
        rf"(?:{verbs('baj', _SAID_AR)}|bajado|{verbs('sub', _IR)}) (?:el|la|los|las|su|sus)",
        r"aten(?:úa|úan|uar|uó|uaron|uaba|uará|uaría|uado)",
        r"(?:hizo|hicieron|hac(?:e|en|er|ía|ían)|har(?:á|án|ía|ían)|hecho) (?:que|bajar|subir|sentir|descender)",
        rf"{verbs('contribu', _UIR + '|ción|ciones')} (?:\w+ )?(?:al?|en)",
        rf"{verbs('influ', _UIR + '|encia|yente')} (?:\w+ )?(?:en|sobre)",
        r"previ(?:ene|enen|no|nieron|niendo)|preven(?:ir|ía|ían|drá|drán|dría|ción|ido|tivo|tiva)",
        rf"{verbs('evit', _AR)} (?:las? |los? |el |muchas |más )?(?:recaídas?|crisis|ingresos|suicidios?|muertes?)",
        verbs("favorec fortalec", _ER + "|a|an"), r"prom(?:ueve|ueven|ovió|ovieron|over|ovía|overá|overía|ovido)",
        r"refuer(?:za|zan|ce|cen)", verbs("reforz", _SAID_AR + "|ado"),
        rf"(?:{verbs('logr', _AR)}|consigue|consiguen|conseguirá|conseguiría) (?:que|una?|menos|más|reduc\w+|baj\w+)",
        r"consigui(?:ó|eron)",
        r"(?:marc|hac)(?:a|an|ó|aron|e|en) la diferencia|hizo la diferencia",
        r"(?:es|son|era|fue|fueron) (?:fruto|resultado|consecuencia) del?|fruto del?",
        rf"(?:como|a) (?:resultado|consecuencia|causa|raíz) (?:del?|de la|de los|de las|de nuestro) {_PROGRAMME}",
        rf"se explican? por (?:el |la |los |las |nuestro )?{_PROGRAMME}|{verbs('explic', _SAID_AR)} {_THE_CHANGE}",
        rf"(?:atribuibles?|{verbs('atribu', _UIR)}) al?",
        rf"debid[oa]s? {_TO_PROGRAMME}",
        rf"(?:debe|deben|debió|debieron)(?: en parte)? {_TO_PROGRAMME}",
        r"(?:tien|ten|tuv|tendr)\w+ (?:mucho |un gran |gran )?éxito|exitos[oa]s?",
        r"(?:es|son|fue|fueron|era|será|sería|sido) (?:todo )?(?:un )?(?:gran )?éxito",
        rf"{_PROGRAMME} (?:\w+ )?(?:sirv(?:e|en|ió|ieron)|serv(?:ido|ía|ían|irá|irán|iría))(?! (?:de|como)\b)",
        rf"{verbs('gener', _AR)} (?:\w+ )?(?:bienestar|confianza|esperanza|menos|más|{_CHANGE})",
        rf"(?:{_CHANGE}|esto|ello)(?: \S+){{0,5}} (?:prov(?:iene|ino|enía|endrá|endría)n?|v(?:iene|ino|enía)n?) "
        rf"d\w+(?: la| los)? "
        rf"{_PROGRAMME}",
        rf"(?:responsables?|razón|origen|causa) de ?{_THE_CHANGE}",
        rf"{_PROGRAMME} {verbs('afect potenci transform san cur calm elimin recort impuls propici origin', _SAID_AR)}",
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
        r"aumento de (?:la )?edad|al aumentar la edad|cómo funcionan?|cuestionario funciona|teléfono de ayuda "
        r"funciona|qué ayudaría|se ayudan entre",
        r"causa de (?:los|las) (?:abandonos|ausencias|bajas|respuestas que faltan)|causa posible es el azar",
        r"(?:no|nunca|nadie) (?:se )?(?:ha |han |puede |pueden )?(?:demostr|demuestr|prueb|prob|signific|concluy|sab|"
        r"dec|digas)\w* "
        rf"(?:que|si)\b[^.,:;!?]{{0,60}}?\b{_DENIED}",
        r"(?:no (?:es|son|hay) (?:una )?pruebas? de que|si)\b[^.,:;!?]{0,40}?\b(?:funcion[ae]n?|ayuda|ayude|sirve|"
        r"sirva|sea la razón|es la razón)",
        r"(?:participación|asistencia|certeza|número de (?:personas|respuestas|sesiones|participantes|reuniones|"
        r"visitas))"
        rf"(?: se)? (?:disminuyó|aumentó|redujo|bajó|subió){_SEEN}",
    ),
    technical=(
        "efectos fijos", "efecto fijo", "efectos aleatorios", "efecto aleatorio", "efectos mixtos",
        "tamaño efectivo de la muestra", "tamaño de muestra efectivo", "tamaño muestral efectivo",
    ),
)  # fmt: skip
