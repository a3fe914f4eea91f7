"""The lint in every language: planted overclaims are caught wherever they stand, and true sentences pass."""

import html
import json
from collections.abc import Callable
from dataclasses import replace
from gettext import NullTranslations
from typing import get_args

import pytest
from babel import Locale

from analysis.design import RESAMPLED, DesignKind
from reports import ReportContent, ReportError, lint_claims, render_report
from reports.claims import ALONE
from reports.forbidden_words import FORBIDDEN_WORDS
from reports.language import LANGUAGES, Language
from reports.lint import plain_text

KINDS: tuple[DesignKind, ...] = get_args(DesignKind)
OVERCLAIMS = {
    "en": [
        "Peer support reduces stigma.", "The effect was large.", "It works.", "Scores improved by 3 points.",
        "This led to less stigma.", "The impact on mood was lasting.", "It caused the difference.", "Thanks to the groups, mood rose.",
        "The programme is effective.", "Well-being increased.", "It resulted in fewer symptoms.", "The difference is due to the programme.",
        "The change is attributable to peer support.", "People benefited from it.", "The programme raises well-being.",
        "The programme helps people.", "Peer support lowered stigma.", "It raised well-being.", "Stigma decreases with peer support.",
        "Stigma fell because of the programme.", "Lower scores as a result of the groups", "The groups are beneficial.",
        "We attribute the difference to the programme.", "It prevents relapse.", "This boosts morale.", "Support eases distress.",
        "It lessens stigma.", "Stigma diminishes.", "The programme produced lower scores.", "The groups made a difference.",
        "Peer support contributed to this.", "The programme makes people feel better.", "The difference stems from the programme.",
        "due to our programme", "due to being in the programme", "The benefits lasted.", "It alleviates distress.",
        "The groups brought about a change.", "a healing group", "It strengthened ties.", "a helpful programme",
        "The programme made people feel better.", "Peer groups lower stigma.", "The groups work.",
        "Peer groups help people.", "Peer support can ease distress.", "Peer support will enhance well-being.",
        "It can heal.", "Peer support can promote recovery.", "The programme brought stigma down.",
        "The programme produced a drop in symptoms.", "The programme was a success.", "The programme was successful.",
        "The programme explains the difference.", "The programme accounts for the difference.",
        "The programme is the reason for the difference.", "The difference comes from the programme.",
        "The programme affects mood.", "Mood was influenced by peer support.",
        "The programme is responsible for the drop.", "There is no doubt that the programme works.",
        "Attendance increased well-being.",
    ],
    "es": [
        "El apoyo entre pares reduce el estigma.", "El efecto fue grande.", "Funciona.", "Las puntuaciones mejoraron 3 puntos.",
        "Esto llevó a un estigma menor.", "El impacto en el ánimo fue duradero.", "Causó la diferencia.",
        "Gracias a los grupos, el ánimo subió.", "El programa es eficaz.", "El bienestar aumentó.",
        "Se tradujo en menos síntomas.", "La diferencia se debe al programa.", "Menos síntomas debido al programa.",
        "Se observó una mejoría.", "Provocó un cambio.", "El programa condujo a puntuaciones más bajas.", "Una reducción de 3 puntos.",
        "EL EFECTO DEL PROGRAMA", "Los efectos duraron.", "La eficacia del apoyo", "El cambio es atribuible al apoyo.",
        "El programa ayudó a las personas.", "El programa baja el estigma.", "El apoyo bajó la ansiedad.", "Alivia el malestar.",
        "Hizo que el estigma fuera menor.", "Produjo menos síntomas.", "Como resultado del programa, menos estigma.",
        "Menos estigma como consecuencia del apoyo.", "Contribuyó a un menor estigma.", "Influyó en el ánimo.", "Previene recaídas.",
        "Favorece el bienestar.", "Mitiga el estigma.", "Es fruto del programa.", "La diferencia se explica por el programa.",
        "Subió el ánimo.", "A raíz del programa, menos síntomas", "Los grupos marcan la diferencia.", "un programa beneficioso",
        "Las puntuaciones disminuyeron gracias al grupo.", "El programa eleva el bienestar.", "una intervención efectiva",
        "El programa les ayuda.", "El programa puede ayudar.", "El programa contribuirá al bienestar.",
        "El programa influirá en el ánimo.", "El programa causaría el cambio.", "El programa hace bajar el estigma.",
        "El apoyo bajaba el estigma.", "El programa tuvo éxito.", "El programa fue un éxito.", "El programa sirve.",
        "El programa evita recaídas.", "El programa genera bienestar.", "La diferencia proviene del programa.",
        "El programa es responsable de la diferencia.", "El programa explica la diferencia.",
        "El programa es la razón de la diferencia.", "El programa favorecía el bienestar.",
        "El programa reduciría el estigma.", "No se puede negar que el programa funciona.",
        "La participación disminuyó el estigma.",
    ],
    "fr": [
        "Le soutien entre pairs réduit la stigmatisation.", "L'effet était grand.", "Cela fonctionne.", "Le programme marche.",
        "Les scores se sont améliorés de 3 points.", "Cela a conduit à moins de stigmatisation.", "Le programme mène à des scores plus bas.",
        "L’impact sur l'humeur a duré.", "Il a causé la différence.", "Grâce aux groupes, l'humeur est montée.",
        "Le programme est efficace.", "Le bien-être a augmenté.", "Cela s'est traduit par moins de symptômes.",
        "La différence est due au programme.", "Une amélioration nette", "Il a entraîné une baisse.", "Une réduction de 3 points",
        "Les effets ont duré.", "L'efficacité du soutien", "Le changement est attribuable au programme.", "Il a provoqué un changement.",
        "Le programme a aidé les personnes.", "Le programme baisse la stigmatisation.", "Le soutien aide les personnes.",
        "Moins de stigmatisation en raison du programme.", "à cause du programme", "Le programme permet une baisse.",
        "Le programme a produit des scores plus bas.", "Il atténue la détresse.", "Cela contribue à un meilleur moral.", "Il favorise le lien.",
        "Les groupes renforcent l'estime de soi.", "La différence résulte du programme.", "La différence vient du soutien.",
        "Les scores se sont ameliores.", "UNE AMELIORATION", "Le programme a été bénéfique.", "Cela fait une différence.",
        "Il soulage les personnes.", "Il prévient les rechutes.", "La différence s’explique par le programme.",
        "Le programme fait baisser les scores.", "EFFET DU PROGRAMME", "Les groupes ont mené à une baisse.",
        "Le programme diminuera la stigmatisation.", "Le programme réduirait la stigmatisation.",
        "Le programme réduisit la stigmatisation.", "Le programme conduira à moins de stigmatisation.",
        "Le programme favorisera le lien.", "Le programme fera baisser les scores.",
        "Le programme produit moins de symptômes.", "Le programme permet aux personnes d'aller mieux.",
        "La différence est imputable au programme.", "Le programme est à l'origine de la différence.",
        "Le programme a réussi.", "Le programme est un succès.", "Le programme peut aider.",
        "La différence provenait du programme.", "Le programme préviendra les rechutes.", "Les scores s'améliorèrent.",
        "Le programme explique la différence.", "Le programme y a contribué.",
        "On ne peut nier que le programme est efficace.", "La participation a diminué la stigmatisation.",
    ],
    "ar": [
        "يقلّل دعم الأقران الوصمة.", "كان الأثر كبيرًا.", "للبرنامج تأثير واضح.", "آثار البرنامج", "أثّر البرنامج في المزاج.",
        "البرنامج فعّال.", "فعالية البرنامج", "سبّب البرنامج هذا الفرق.", "تسبّب ذلك في انخفاض الدرجات.",
        "أدّى البرنامج إلى درجات أدنى.", "بفضل المجموعات ارتفع المزاج.", "حسّن البرنامج المزاج.", "تحسّنت الدرجات.",
        "لوحظ تحسن كبير.", "خفّض البرنامج الوصمة.", "زاد الرفاه.", "زيادة في الرفاه", "نجح البرنامج.", "يعود الفرق إلى البرنامج.",
        "الفرق ناتج عن البرنامج.", "قلّل الدعم الأعراض.", "والأثر باقٍ", "بالتأثير نفسه", "تــأثــيــر", "تَأْثِير", "اثر البرنامج",
        "ساعد البرنامج الناس.", "يساعد الدعم.", "خفّف الدعم الأعراض.", "يحدّ البرنامج من الوصمة.", "قلّص البرنامج الوصمة.",
        "عزّز الدعم الثقة.", "أسهم البرنامج في ذلك.", "ساهمت المجموعات في هذا الفرق.", "البرنامج وراء هذا الفرق.",
        "الفرق جراء البرنامج.", "أحدثت المجموعات فرقًا.", "البرنامج مفيد.", "تخفيف الأعراض", "الوقاية من الانتكاس",
        "البرنامج هو سبب الفرق.", "مما أدى ذلك إلى فرق", "فتحسّن المزاج", "استفاد المشاركون من البرنامج.", "البرنامج يرفع الرفاه.",
        "سيؤدي البرنامج إلى درجات أدنى.", "سينجح البرنامج.", "سيزيد البرنامج الرفاه.", "سيرفع البرنامج الرفاه.",
        "سيؤثر البرنامج في المزاج.", "يعود الفرق للبرنامج.", "يُعزى الفرق للبرنامج.", "الفرق عائد للبرنامج.",
        "الفرق عائد إلى البرنامج.", "سبب الفرق هو البرنامج.", "انخفضت الوصمة بسبب المشاركة في البرنامج.",
        "يرجع الفرق إلى مشاركتهم في البرنامج.", "نجاح البرنامج", "كان البرنامج نجاحًا.", "البرنامج مسؤول عن هذا الفرق.",
        "يفيد البرنامج الناس.", "البرنامج يفسر الفرق.", "للبرنامج مفعول واضح.", "لا شك أن البرنامج ناجح.",
        "زاد عدد الأشخاص الذين تحسّنوا.",
    ],
}  # fmt: skip
TRUE = {
    "en": [
        "How much of that is due to the programme cannot be told.", "Whether the programme is the reason for a difference.",
        "No clear difference in felt stigma at 12 weeks.", "people in the arm scored 2.4 points lower than people in the other",
        "lower is better", "The interval holds zero; that is no proof that there is no difference.",
        "Do not read this as proof that the arms are alike, nor as a success.", "Fixed effects and random effects",
        "after allowing for age, being in the arm was associated with a change that was 2 points lower",
        "Chance decided who was in which arm, so at the start the arms should differ by luck alone.",
        "Whether any one person is better or worse off than before: samples were compared.",
        "nobody was followed from one to the next", "so few people are behind it that somebody could be recognised",
        "people surveyed at Autumn scored 3 points higher", "The results hold no row for it.",
        "four of five studies as large as this one would have shown a true difference of 3 points", "workshops and frameworks",
        "people who feel bad when they join tend to score closer to the average later",
        "The programme was not shown to be effective.", "the cause of death", "She works in a clinic.",
        "with increasing age", "Fear of late effects", "Nobody has shown that it helps.", "because of few answers", "lower scores",
        "It was a difference of 3 points.", "Ask for help at once", "what would help", "two programmes of the same cause of illness",
        "These numbers do not prove that the groups reduce stigma.", "Nobody can tell whether the programme works.",
        "Do not conclude that the programme works.", "Certainty was lowered by one level because of missing scores.",
        "Attendance decreased over the weeks.", "Concerns raised by participants are listed below.",
        "What caused the missing answers is not known.", "She works full time.",
        "The number of people with a score decreased from 109 to 94.", "There is no proof that peer support works.",
    ],
    "es": [
        "No se puede saber cuánto de ello se debe al programa.", "Si el programa es la razón de una diferencia.",
        "No hay una diferencia clara en el estigma sentido a las 12 semanas.", "obtuvieron 2,4 puntos menos que las personas del otro grupo",
        "más bajo es mejor", "Las puntuaciones van de 8 a 40 puntos; los valores más bajos son mejores.",
        "El intervalo contiene el cero; eso no prueba que no haya diferencia.", "No lo lea como prueba de que los grupos son iguales, ni como un éxito.",
        "Efectos fijos y efectos aleatorios", "pertenecer al grupo se asoció con un cambio 2 puntos menor",
        "El azar decidió quién estaba en qué grupo.", "No se siguió a nadie de una medición a otra.",
        "tan pocas personas que alguien podría ser reconocido", "las personas encuestadas en otoño puntuaron 3 puntos más alto",
        "Si alguna persona está mejor o peor que antes.", "Cómo se llevó a cabo el programa", "En efecto, el intervalo es amplio.",
        "Cuánto habría cambiado de todos modos: quienes se sienten mal al entrar suelen puntuar más cerca de la media después.",
        "No se puede saber qué parte se debe al programa ni qué parte a quién fue encuestado.", "la puntuación elevada en la escala",
        "personas que fueron encuestadas más tarde", "desde que empezó el programa", "el funcionamiento social", "mejores puntuaciones",
        "Las personas que completaron el cuestionario", "la comparación con la lista de espera", "la causa de la muerte",
        "el aumento de la edad", "a causa de la enfermedad", "No se ha demostrado que el programa sea eficaz.",
        "grupos de ayuda mutua", "una puntuación más baja", "por debajo del umbral", "Las puntuaciones bajaron más en un centro.",
        "Esto no demuestra que el programa sea eficaz.", "No se sabe si el programa causó el cambio.",
        "No concluya que el programa funciona.", "El número de personas disminuyó de 109 a 94.",
        "La participación disminuyó con las semanas.", "La certeza se redujo un nivel.", "Cómo funciona el programa",
        "El grupo sirve de comparación.", "La potencia del estudio era del 80 %.",
    ],
    "fr": [
        "Impossible de dire quelle part en est due au programme.", "Si le programme est la raison d'une différence.",
        "Pas de différence nette de stigmatisation à 12 semaines.", "ont obtenu 2,4 points de moins que les personnes de l'autre groupe",
        "plus bas, c'est mieux", "Les scores vont de 8 à 40 points ; une valeur basse est meilleure.",
        "L'intervalle contient zéro ; cela ne prouve pas qu'il n'y a pas de différence.",
        "N'y voyez ni la preuve que les groupes sont semblables, ni un succès.", "Effets fixes et effets aléatoires",
        "être dans ce groupe était associé à un changement inférieur de 2 points", "Le hasard a décidé qui était dans quel groupe.",
        "personne n'a été suivi d'un moment à l'autre", "si peu de personnes que quelqu'un pourrait être reconnu",
        "les personnes interrogées à l'automne ont obtenu 3 points de plus", "Si une personne va mieux ou moins bien qu'avant.",
        "En effet, l'intervalle est large.", "Les effectifs de chaque groupe", "d'autres personnes, ou en partie les mêmes",
        "ceux qui ont répondu", "l'entraînement des facilitateurs", "Une étude conduite à Paris, menée à bien",
        "On ne peut pas savoir dans quelle mesure la différence est due au programme.", "le fonctionnement social",
        "Combien aurait changé de toute façon : qui va mal en arrivant obtient souvent plus tard un score plus proche de la moyenne.",
        "la marche à suivre", "les personnes en partie les mêmes", "à cause de la maladie", "Le groupe marche dans le parc.",
        "la cause du décès", "chercher de l'aide", "l'entraide entre pairs", "les scores ont baissé davantage",
        "On n’a pas démontré que le programme est efficace.", "une valeur plus basse", "une baisse ne peut pas se voir",
        "Cela ne prouve pas que le programme soit efficace.", "On ne sait pas si le programme a causé le changement.",
        "Ne concluez pas que le programme fonctionne.", "Le nombre de réponses a diminué de 109 à 94.",
        "Le nombre de séances a augmenté.", "La certitude a été réduite d'un niveau.",
        "Comment fonctionne le programme", "Ce qui reste peut venir du programme, ou de toute autre chose.",
    ],
    "ar": [
        "لا يمكن معرفة مقدار ما يعود منه إلى البرنامج.", "ما إذا كان البرنامج هو سبب الفرق.", "لا فرق واضحًا في الوصمة بعد 12 أسبوعًا.",
        "حصلوا على درجات أقل بمقدار 2.4 نقطة من الأشخاص في المجموعة الأخرى", "الأقل أفضل", "كلما انخفضت الدرجة كان ذلك أفضل.",
        "يشمل المجال الصفر، وليس ذلك دليلًا على عدم وجود فرق.", "لا تقرأ هذا دليلًا على تشابه المجموعتين ولا على أنه نجاح.",
        "التأثيرات الثابتة والتأثيرات العشوائية", "ارتبط الوجود في المجموعة بتغيّر أقل بنقطتين", "قررت القرعة من كان في أي مجموعة.",
        "لم يُتابَع أحد من نقطة زمنية إلى أخرى", "عدد قليل جدًا بحيث يمكن التعرف على شخص ما", "أكثر من نصف الأشخاص",
        "الأشخاص الذين شملهم الاستطلاع في الخريف حصلوا على درجات أعلى بثلاث نقاط", "ما إذا كان أي شخص أفضل أو أسوأ حالًا من قبل",
        "لا يُعرض بسبب قلة العدد", "ما يزيد على عشرين في المئة", "بالفعل، المجال واسع.", "انخفاض متوسط الدرجات", "درجة مرتفعة أو منخفضة",
        "لا يمكن معرفة كم يعود إلى البرنامج وكم إلى من شملهم الاستطلاع.", "نتيجة الوصمة غير معروضة", "حجم العينة الفعّال",
        "يعمل البرنامج في المدينة.", "حدود الفاصل", "طلب المساعدة", "الأشخاص الذين أجابوا بعد 26 أسبوعًا", "أعلى درجة وأحسن درجة", "سبب عدم العرض",
        "لا يُعرف هل البرنامج سبب الفرق.", "لا يعني هذا أن البرنامج فعّال.", "لا تستنتج أن البرنامج ناجح.",
        "زاد عدد الجلسات.", "انخفض عدد الإجابات من 109 إلى 94.", "لا يثبت هذا أن الدعم مفيد.",
        "يساعد المشاركون بعضهم بعضًا.", "زاد العمر بسنة.",
    ],
}  # fmt: skip
FOLLOWS = {
    "en": ["people changed", "participants who left", "they have recovered", "everybody stayed"],
    "es": ["las personas cambiaron", "los participantes que abandonaron", "quienes se han recuperado", "todos se quedaron", "los que se fueron"],
    "fr": ["les personnes ont changé", "les participants qui ont abandonné", "ils sont restés", "celles qui sont parties", "ceux qui ont quitté"],
    "ar": ["تغيّر المشاركون", "الأشخاص الذين غادروا", "الذين بقوا", "والمشاركون انسحبوا", "من ترك البرنامج"],
}  # fmt: skip
PLACES = {
    "running text": "<p>{}</p>",
    "heading": "<h2>{}</h2>",
    "caption": "<figure><figcaption>{}</figcaption></figure>",
    "image": '<img alt="{}">',
    "label": '<div role="img" aria-label="{}"></div>',
    "cell": "<table><tr><td>{}</td></tr></table>",
    "meter": '<div role="slider" aria-valuetext="{}"></div>',
    "role": '<div aria-roledescription="{}"></div>',
    "button": '<input type="button" value="{}">',
}


def is_refused(text: str, kind: DesignKind, language: str) -> bool:
    try:
        lint_claims(text, kind, language=language)
    except ReportError:
        return True
    return False


def test_every_language_of_reports_has_its_words() -> None:
    assert set(LANGUAGES) <= set(FORBIDDEN_WORDS)
    for table in (OVERCLAIMS, TRUE, FOLLOWS):
        assert set(table) == set(FORBIDDEN_WORDS)
    assert all(len(claims) >= 12 for claims in OVERCLAIMS.values())
    assert all(len(sentences) >= 15 for sentences in TRUE.values())


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(ReportError, match="Nobody wrote down"):
        lint_claims("Ein Satz.", "randomised", language="de")


@pytest.mark.parametrize("language", FORBIDDEN_WORDS)
@pytest.mark.parametrize("kind", KINDS)
def test_overclaims_are_caught_for_every_design(kind: DesignKind, language: str) -> None:
    assert [claim for claim in OVERCLAIMS[language] if not is_refused(claim, kind, language)] == []


@pytest.mark.parametrize("language", FORBIDDEN_WORDS)
@pytest.mark.parametrize("place", PLACES)
def test_overclaims_are_caught_wherever_they_stand(place: str, language: str) -> None:
    pages = [PLACES[place].format(html.escape(claim)) for claim in OVERCLAIMS[language]]
    assert [page for page in pages if not is_refused(page, "randomised", language)] == []


@pytest.mark.parametrize("language", FORBIDDEN_WORDS)
def test_overclaims_are_caught_in_the_data_of_figures(language: str) -> None:
    for claim in OVERCLAIMS[language]:
        figure = json.dumps({"layout": {"title": {"text": claim}}})
        assert is_refused(f'<script type="application/json">{figure}</script>', "randomised", language), claim


@pytest.mark.parametrize("tag", ["wbr", "mark", "tspan", "bdi", "b"])
def test_markup_within_a_word_hides_nothing(tag: str) -> None:
    for word in ("effect", "reduces"):
        text = f"{word[:3]}<{tag}>{word[3:]}</{tag}>"
        for page in (text, f'<script type="application/json">{json.dumps([text])}</script>'):
            assert is_refused(page, "randomised", "en"), page


@pytest.mark.parametrize("language", FORBIDDEN_WORDS)
@pytest.mark.parametrize("kind", KINDS)
def test_true_sentences_pass(kind: DesignKind, language: str) -> None:
    for place in PLACES.values():
        lint_claims("<hr>.".join(place.format(html.escape(each)) for each in TRUE[language]), kind, language=language)


@pytest.mark.parametrize("language", FORBIDDEN_WORDS)
@pytest.mark.parametrize("kind", KINDS)
def test_people_are_followed_only_where_they_were(kind: DesignKind, language: str) -> None:
    for words in FOLLOWS[language]:
        assert is_refused(f"<p>{words}.</p>", kind, language) == (kind in RESAMPLED)


@pytest.mark.parametrize("language", FORBIDDEN_WORDS)
def test_english_words_are_caught_in_every_language(language: str) -> None:
    for claim in OVERCLAIMS["en"]:
        assert is_refused(claim, "single_group", language)


@pytest.mark.parametrize(
    "mark", ["\u2066", "\u2067", "\u2068", "\u2069", "\u200e", "\u200f", "\u061c", "\u202a", "\u202e"]
)
def test_marks_of_direction_hide_nothing(mark: str) -> None:
    assert plain_text(f"a{mark}b") == "ab"
    for word, language in (("effect", "en"), ("efecto", "es"), ("effet", "fr"), ("تأثير", "ar")):
        assert is_refused(f"{word[:2]}{mark}{word[2:]}", "randomised", language)


def test_a_name_of_the_study_is_exempt_in_its_own_spelling_between_marks_of_direction() -> None:
    name = "مجموعات الأثر"
    for text in (f"في \u2068{name}\u2069 119 شخصًا", f"ل\u2068{name}\u2069", f"و\u2068{name}\u2069"):
        lint_claims(f"<p>{text}</p>", "randomised", quoted=[name], language="ar")
    assert is_refused("الأثر كبير", "randomised", "ar")
    lint_claims("<p>Grupo Impacto: 12</p>", "randomised", quoted=["Grupo Impacto"], language="es")
    with pytest.raises(ReportError):
        lint_claims("<p>El impacto: 12</p>", "randomised", quoted=["Grupo Impacto"], language="es")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The difference is due to Harbour."),
        ("es", "La diferencia se debe a Harbour."),
        ("fr", "La différence est due à Harbour."),
        ("ar", "يعود الفرق إلى \u2068Harbour\u2069."),
    ],
)
def test_what_is_put_down_to_a_named_programme_is_caught(language: str, text: str) -> None:
    with pytest.raises(ReportError, match="does not allow"):
        lint_claims(text, "matched_comparison", quoted=["Harbour"], language=language)


class Careless(NullTranslations):
    """A catalogue with one translation that claims too much."""

    def __init__(self, translation: str) -> None:
        super().__init__()
        self.translation = translation

    def gettext(self, message: str) -> str:
        return self.translation if message == ALONE else message


@pytest.mark.parametrize(("tag", "translation"), [("es", "Los grupos funcionan."), ("ar", "نجح البرنامج.")])
def test_a_translation_that_claims_too_much_stops_the_report(
    build: Callable[..., ReportContent], tag: str, translation: str
) -> None:
    for text, is_fine in ((translation, False), ("119", True)):
        language = Language(tag=tag, locale=Locale.parse(tag), catalogue=Careless(text))
        content = replace(build(), language=language)
        if is_fine:
            assert text in render_report(content)
        else:
            with pytest.raises(ReportError, match="does not allow"):
                render_report(content)
