"""Words that say that a programme did something, or that people were followed who were not, by language.

Each table is read by `reports.lint` after `plain_text` and the table's own `fold`. The names that a study brings are
taken out before and stand as `NAME`. Words that true sentences need are left out with care: ``lower``, ``better``,
"how much of that is due to the programme cannot be told".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

NAME: Final = "\u25a1"
"""Stands for a quoted string."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenWords:
    """What the lint looks for in one language.

    Attributes
    ----------
    claims : Pattern
        Words that say that the programme did something, with their inflections.
    followed : Pattern
        Words that say that the same people were seen again.
    open_questions : Pattern
        Questions of how much is due to the programme, which claim nothing: taken out before `claims` is looked for.
    technical : tuple of str
        Names of parts of a model, and of a size, in any letter case: they say nothing of a programme.
    prefixes : str
        Pattern of letters that a language writes together with the word that follows.
    fold : callable
        Makes spellings of a word uniform.
    """

    claims: re.Pattern[str]
    followed: re.Pattern[str]
    open_questions: re.Pattern[str]
    technical: tuple[str, ...]
    prefixes: str = ""
    fold: Callable[[str], str] = str


def _any_of(*words: str, before: str = r"\b", after: str = r"\b") -> re.Pattern[str]:
    return re.compile(f"{before}(?:{'|'.join(words)}){after}", re.IGNORECASE)


def _fold_arabic(text: str) -> str:
    """Return text without vowel signs and stretching; alef, final ya and ta marbuta in one spelling each."""
    parts = unicodedata.normalize("NFC", text).replace("\u0640", "")
    bare = "".join(letter for letter in parts if unicodedata.category(letter) != "Mn")
    return bare.translate(str.maketrans("أإآٱىةؤئ", "اااايهوي"))


_ENGLISH: Final = ForbiddenWords(
    claims=_any_of(
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
        r"lowers|raises",
        r"attribut(?:ed|able) to",
        r"benefit(?:ed|s)? from",
        r"efficac(?:y|ious)",
        rf"due to (?:the )?(?:programme|program|peer|groups?|intervention|{NAME})",
        after=r"(?!\w)",
    ),
    followed=_any_of(
        r"(?:who|people|participants|they|everybody|nobody|some)\s+(?:(?:have|has|had)\s+)?"
        r"(?:changed|stayed|left|dropped out|started|finished|recover(?:ed)?|deteriorated|"
        r"(?:got|became)\s+(?:better|worse))"
    ),
    open_questions=re.compile(r"\b(?:how much|how far|whether)\b[^.:;!?]{0,60}?\bdue to\b", re.IGNORECASE),
    technical=("fixed effects", "random effects", "mixed effects", "effective sample size"),
)

_TO_PROGRAMME_ES: Final = rf"a(?:l| la| las| los)? (?:programa|apoyo|acompañamiento|grupos?|intervención|{NAME})"
_SPANISH: Final = ForbiddenWords(
    claims=_any_of(
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
        r"funcion(?:a|an|ar|ó|aron|ado|ando|aba|ará)",
        r"atribu(?:ible|ibles|ido|ida|idos|idas|ye|yen|ir) al?",
        r"(?:benefició|benefician|beneficiaron|beneficiado|beneficia) del?",
        rf"debid[oa]s? {_TO_PROGRAMME_ES}",
        rf"(?:debe|deben|debió|debieron)(?: en parte)? {_TO_PROGRAMME_ES}",
        after=r"(?!\w)",
    ),
    followed=_any_of(
        r"(?:(?:personas|participantes|gente|quienes|ellos|ellas|todos|todas|todo el mundo|nadie|algun[oa]s|much[oa]s)"
        r"(?: (?:encuestad|entrevistad)[oa]s)?(?: que)?|(?:los|las|aquell[oa]s) que)\s+"
        r"(?:(?:se|ya|no|ha|han|había|habían|lo|la)\s+)*"
        r"(?:cambi(?:ó|aron|ado)|qued(?:ó|aron|ado)|permanec(?:ió|ieron|ido)|abandon(?:ó|aron|ado)|"
        r"dej(?:ó|aron|ado)|se (?:fue|fueron|ha ido|han ido|había ido|habían ido)|"
        r"march(?:ó|aron|ado)|emp(?:ezó|ezaron|ezado)|comenz(?:ó|aron|ado)|"
        r"inici(?:ó|aron|ado)|termin(?:ó|aron|ado)|finaliz(?:ó|aron|ado)|"
        r"recuper(?:ó|aron|ado)|empeor(?:ó|aron|ado)|mejor(?:ó|aron|ado))"
    ),
    open_questions=re.compile(
        r"\b(?:cuánto|cuánta|qué parte|qué proporción|en qué medida|hasta qué punto|si)\b[^.:;!?]{0,60}?"
        r"\b(?:se debe|se deben|es debid[oa]|son debid[oa]s)\b",
        re.IGNORECASE,
    ),
    technical=(
        "efectos fijos", "efecto fijo", "efectos aleatorios", "efecto aleatorio", "efectos mixtos",
        "tamaño efectivo de la muestra", "tamaño de muestra efectivo", "tamaño muestral efectivo",
    ),
)  # fmt: skip

_PROGRAMME_FR: Final = (
    rf"(?:au |aux |à la |à l'|à l’|à )(?:programme|soutien|entraide|accompagnement|groupes?|intervention|{NAME})"
)
_FRENCH: Final = ForbiddenWords(
    claims=_any_of(
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
        r"fonctionn(?:e|es|ent|é|er|ait|era)",
        r"(?<!\ben )march(?:e|ent|ait)(?! à suivre)|(?:a|ont|avait) marché",
        r"attribu(?:able|ables|é|ée|és|ées|er|e|ent) (?:à|au|aux)",
        r"(?:bénéficié|tiré profit|profité) (?:de|du|des)",
        rf"d(?:û|ue|us|ues) {_PROGRAMME_FR}",
        after=r"(?!\w)",
    ),
    followed=_any_of(
        r"(?:personnes|personne|participants|participantes|gens|ceux|celles|ils|elles|tous|toutes|tout le monde|"
        r"certains|certaines|quelques-uns|quelques-unes)(?: (?:interrogé|sondé)e?s)?(?: qui)?\s+"
        r"(?:(?:ne|n'|n’|se|s'|s’|y|a|ont|avait|avaient|est|sont|était|étaient)\s*)*"
        r"(?:changée?s?|changèrent|restée?s?|quitté|abandonné|commencé|débuté|terminé|fini|"
        r"(?:est|sont|était|étaient) partie?s?|rétablie?s?|guérie?s?|aggravée?s?|empiré|progressé|devenue?s?|"
        r"(?:allée?s?|vont) (?:mieux|moins bien|plus mal))"
    ),
    open_questions=re.compile(
        r"\b(?:combien|quelle part|quelle proportion|dans quelle mesure|jusqu.à quel point|si)\b[^.:;!?]{0,60}?"
        r"\bd(?:û|ue|us|ues)\b",
        re.IGNORECASE,
    ),
    technical=(
        "effets fixes", "effet fixe", "effets aléatoires", "effet aléatoire", "effets mixtes",
        "taille effective de l'échantillon", "taille effective de l’échantillon", "taille d'échantillon effective",
        "taille d’échantillon effective",
    ),
)  # fmt: skip

_PROGRAMME_AR: Final = rf"(?:ال|لل|ل)?(?:برنامج|دعم|مساندة|مجموعات|تدخل|{NAME})".replace("ة", "ه")
_SUFFIX_AR: Final = r"(?:ا|ه|ها|هم|هن|هما|نا|ت|ته|تها|تهم|وا|ان|ين|ون|ات)?"
_ARABIC: Final = ForbiddenWords(
    claims=_any_of(
        rf"(?:ال|لل|بال|كال|فال|[بلك])?(?:اثر|اثار|تاثير|موثر){_SUFFIX_AR}",
        r"[يتن]وثر(?:ون|ان|وا)?|[يتن]?تاثر(?:ت|وا|ون)?|متاثر(?:ه|ون|ين)?",
        r"(?:ال|لل|بال|[بلك])?فعال(?:ه|ا|ين|ون)?|(?:ال|لل|بال|[بلك])?(?:فعالي|فاعلي|نجاع)(?:ه|ته|تها|تهم)",
        r"[يتن]?تسبب(?:ت|وا|ه|ها|ون)?|[يتن]سبب(?:ه|ها|ون|وا)?|سببت(?:ه|ها)?|سببا في",
        rf"{_PROGRAMME_AR}(?: هو| هي| كان)? (?:ال)?سبب|سبب (?:البرنامج|الدعم)",
        rf"(?:بسبب|بفعل|ناتج(?:ه)? عن|نتج(?:ت)? عن) {_PROGRAMME_AR}|نتيجه (?:ل|ال|لل)(?:برنامج|دعم)",
        r"(?:ادي|ادت|ادوا|[يت]ودي|[يت]ودون|مودي(?:ا|ه)?|افضي|افضت|[يت]فضي|قاد|قادت|[يت]قود)(?: (?!الي\b)\S+){0,3} الي",
        r"(?:ادي|ادت|[يت]ودي) ل\w+",
        r"اسفر(?:ت)? عن|[يت]سفر عن|تمخض(?:ت)? عن",
        r"بفضل(?:ه|ها|هم)?|(?:[يت]عود|[يت]رجع) الفضل",
        rf"(?:[يت]عود|[يت]رجع|[يت]عزي|عائد(?:ه)?|راجع(?:ه)?)(?: (?!الي\b)\S+){{0,2}} الي {_PROGRAMME_AR}",
        rf"(?:س)?(?:[يت]حسن|[يت]تحسن|حسن)(?:ت|ه|ها|وا|ون)?|(?:ال|لل|بال|[بلك])?(?:تحسن|تحسين){_SUFFIX_AR}",
        rf"(?:س)?(?:[يت]خفض|خفض)(?:ت|ه|ها|وا|ون)?|(?:ال|لل|بال|[بلك])?(?:خفض|تخفيض){_SUFFIX_AR}",
        rf"(?:س)?(?:[يت]قلل|قلل)(?:ت|ه|ها|وا|ون)?|(?:ال|لل|بال|[بلك])?تقليل{_SUFFIX_AR}",
        r"(?:زاد|زادت|زادوا|[يت]زيد|ازداد|ازدادت|[يت]زداد)(?! (?:عن|علي)\b)(?:ه|ها|هم)?",
        r"(?:ال|لل|بال|[بلك])?(?:زياد(?:ه|ته|تها)|ازدياد)(?! علي\b)",
        r"(?:[يت]رفع|رفعت|رفع)(?:ه|ها)?",
        r"(?:نجح|نجحت|نجحوا|[يت]نجح|ناجح|ناجحه|الناجح|الناجحه)",
        r"(?:[يت]عمل|[يت]جدي|اجدي|اجدت) (?:البرنامج|الدعم|نفعا)|(?:البرنامج|الدعم) (?:[يت]عمل|مجد|[يت]جدي|اجدي)",
        r"(?:استفاد|استفادت|استفادوا|[يت]ستفيد|[يت]ستفيدون)(?: (?!من\b)\S+){0,2} من",
        before=r"(?<!\w)(?:[وف])?",
        after=r"(?!\w)",
    ),
    followed=_any_of(
        r"(?:الاشخاص|اشخاص|الناس|ناس|المشاركون|المشاركين|المشاركات|مشاركون|مشاركين|الذين|اللواتي|هم|بعضهم|جميعهم|كلهم|"
        r"الجميع)\s+(?:(?:الذين|ممن|قد|كانوا|لم|هم)\s+)*"
        r"(?:[يت]?تغير(?:ت|وا|ون)?|[يت]?غادر(?:ت|وا|ون)?|ترك(?:ت|وا)?|بقي(?:ت)?|بقوا|انسحب(?:ت|وا)?|استمر(?:ت|وا)?|"
        r"تعافي|تعافوا|تعافت|تدهور(?:ت|وا)?|ساءت|تحسن(?:ت|وا)?|بدا|بدات|بداوا|بدووا|انهي|انهوا|انتهوا|"
        r"اصبحوا|صاروا)",
        r"من (?:بقي|بقوا|غادر(?:وا)?|ترك(?:وا)?|انسحب(?:وا)?|استمر(?:وا)?|تعاف(?:ي|وا)|انهي|انهوا)",
        r"(?:تغير|غادر|ترك|بقي|انسحب|استمر|تعافي|تدهور|تحسن|بدا|انهي)(?:ت)?\s+"
        r"(?:الاشخاص|الناس|المشاركون|المشاركين|المشاركات|بعضهم|جميعهم|الجميع)",
        before=r"(?<!\w)(?:[وف])?",
        after=r"(?!\w)",
    ),
    open_questions=re.compile(
        r"(?<!\w)(?:كم|ما مقدار|مقدار|ما القدر|اي قدر|اي جزء|الي اي مدي|مدي|ما اذا|هل)(?!\w)[^.:;!؟]{0,60}?"
        rf"(?:[يت]عود|[يت]رجع|[يت]عزي|عائد(?:ه)?|راجع(?:ه)?|بسبب|ناتج(?:ه)? عن|نتج عن|كان {_PROGRAMME_AR} هو|"
        rf"كان {_PROGRAMME_AR} هي)"
    ),
    technical=(
        "التأثيرات الثابتة", "تأثيرات ثابتة", "التأثيرات العشوائية", "تأثيرات عشوائية", "التأثيرات المختلطة",
        "تأثيرات مختلطة", "الآثار الثابتة", "الآثار العشوائية", "حجم العينة الفعال", "الحجم الفعال للعينة",
    ),
    prefixes=r"[وفبلك]{0,2}",
    fold=_fold_arabic,
)  # fmt: skip

FORBIDDEN_WORDS: Final[dict[str, ForbiddenWords]] = {
    "en": _ENGLISH,
    "es": _SPANISH,
    "fr": _FRENCH,
    "ar": _ARABIC,
}
"""Tag of a language -> what the lint looks for in it."""
