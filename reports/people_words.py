"""In people's words: what those interviewed spoke of, and how far the coders agree; never how much or how many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analysis.design import Theme
from analysis.themes_part import AGREEMENT, INTERVIEWED, READ_TWICE, WITH_THEME
from reports.claims import WITHHELD, join_sentences
from reports.content import ReportContent
from reports.language import mark, say, say_many, speaking
from reports.numbers import format_count, format_interval, format_number
from reports.reading import Row, Rows, pick, pick_one
from reports.sections import Block, Section

CAUTION: Final = mark(
    "Interviews tell how and why, not how many or how much. The people interviewed were not chosen by chance, so what "
    "they said does not stand for everybody. The themes stand in the order in which the study names them."
)
CONSENTED: Final = mark("Everybody who is quoted agreed to it.")
WHAT_ALPHA_SAYS: Final = mark(
    "Agreement is told by Krippendorff's alpha: 1 where the coders agree throughout, 0 where they agree no more often "
    "than chance would have it. It is usual to rely on {reliable} or more, and to take {tentative} or more as "
    "tentative."
)
RELIABLE, TENTATIVE = 0.8, 0.667
"""Krippendorff 2004, doi 10.1111/j.1468-2958.2004.tb00738.x."""


def say_words(rows: Rows, content: ReportContent) -> Section | None:
    """Return what people said in interviews, a block for each theme; None without interviews."""
    own = pick(rows, analysis="themes")
    interviewed = pick_one(own, statistic=INTERVIEWED, arm="")
    if interviewed is None:
        return None
    blocks = [_block(theme, pick(own, item=theme.id), interviewed, content) for theme in content.design.themes]
    lead = join_sentences(
        say(CAUTION), _say_interviewed(interviewed), say(CONSENTED) if any(content.quotations.values()) else ""
    )
    return Section(id="words", title=say("In people's words"), lead=lead, blocks=(*blocks, _block_of_coders(own)))


def quoted_words(content: ReportContent) -> list[str]:
    """Return what people and the study said of the themes, as the report prints it."""
    with speaking(content.language):
        said = [_quote(text) for texts in content.quotations.values() for text in texts]
    return [*said, *(text for theme in content.design.themes for text in (theme.label, theme.definition))]


def _say_interviewed(row: Row) -> str:
    if row.is_exact:
        return say_many(
            "{count} person was interviewed.", "{count} people were interviewed.", row.n, count=format_count(row.n)
        )
    if row.is_bounded:
        return say("At least {count} people were interviewed.", count=format_count(row.at_least))
    return say("How many people were interviewed is not shown: {reason}.", reason=say(WITHHELD))


def _block(theme: Theme, rows: Rows, interviewed: Row, content: ReportContent) -> Block:
    sentences = [theme.definition, *_say_who_spoke(rows, interviewed, content)]
    agreement = pick_one(rows, statistic=AGREEMENT)
    if agreement is not None:
        sentences.append(_say_agreement(agreement))
    return Block(
        heading=theme.label,
        sentences=tuple(sentences),
        items=tuple(_say_by_arm(rows, content)),
        quotations=tuple(_quote(text) for text in content.quotations.get(theme.id, ())),
    )


def _say_who_spoke(rows: Rows, interviewed: Row, content: ReportContent) -> Iterator[str]:
    row = pick_one(rows, statistic=WITH_THEME, arm="")
    if row is None:
        return
    if row.is_exact:
        yield say_many(
            "Spoken of by {count} of the {whole} people interviewed.",
            "Spoken of by {count} of the {whole} people interviewed.",
            row.value,
            count=format_count(row.value),
            whole=format_count(row.n),
        )
    elif row.is_bounded:
        yield say("Spoken of by at least {count} of the people interviewed.", count=format_count(row.at_least))
    elif interviewed.is_bounded:
        fewer = content.plan.small_numbers.protection.threshold
        yield say("Spoken of by fewer than {count} of the people interviewed.", count=format_count(fewer))
    else:
        yield say("How many of the people interviewed spoke of it is not shown: {reason}.", reason=say(WITHHELD))
    by_arm = [each for each in pick(rows, statistic=WITH_THEME) if each.arm]
    if by_arm and all(each.is_bounded for each in by_arm):
        yield say("That is so in each arm.")


def _say_by_arm(rows: Rows, content: ReportContent) -> Iterator[str]:
    """Yield the numbers of each arm, where people of all of them were interviewed."""
    found = {row.arm: row for row in pick(rows, statistic=WITH_THEME)}
    if not all(row.n > 0 for row in found.values()):
        return
    for arm in content.design.arms:
        row = found.get(arm.id)
        if row is not None:
            yield say(
                "{arm}: {count} of the {whole} people interviewed",
                arm=arm.label,
                count=format_count(row.value),
                whole=format_count(row.n),
            )


def _block_of_coders(rows: Rows) -> Block:
    """Return how far the coders agree on all themes, and on how many excerpts that stands."""
    sentences = []
    excerpts = pick_one(rows, statistic=READ_TWICE)
    if excerpts is not None and excerpts.is_exact:
        sentences.append(
            say_many(
                "{count} excerpt was read by two coders or more.",
                "{count} excerpts were read by two coders or more.",
                excerpts.value,
                count=format_count(excerpts.value),
            )
        )
    elif excerpts is not None and excerpts.is_shown:
        count = format_count(excerpts.value)
        sentences.append(say("At least {count} excerpts were read by two coders or more.", count=count))
    overall = pick_one(rows, statistic=AGREEMENT, item="")
    if overall is not None:
        sentences.append(_say_agreement(overall))
    if any(row.is_shown for row in pick(rows, statistic=AGREEMENT)):
        limits = {"reliable": format_number(RELIABLE, 2), "tentative": format_number(TENTATIVE, 2)}
        sentences.append(say(WHAT_ALPHA_SAYS, **limits))
    return Block(heading=say("How far the coders agree"), sentences=tuple(sentences))


def _say_agreement(row: Row) -> str:
    """Say the agreement on one theme, or on all of them."""
    if row.verdict != "estimated":
        return row.told
    if not row.is_shown:
        return say("How far the coders agree is not shown: {reason}.", reason=say(WITHHELD))
    decimals = 2 if row.is_exact else 1
    value = format_number(row.value, decimals)
    if row.conf_low != row.conf_low:
        return (
            say("Agreement between coders on it: {alpha}.", alpha=value)
            if row.item
            else say("Agreement between coders on all themes: {alpha}.", alpha=value)
        )
    interval = format_interval(row.conf_low, row.conf_high, decimals)
    return (
        say("Agreement between coders on it: {alpha} (95\u00a0% interval {interval}).", alpha=value, interval=interval)
        if row.item
        else say(
            "Agreement between coders on all themes: {alpha} (95\u00a0% interval {interval}).",
            alpha=value,
            interval=interval,
        )
    )


def _quote(text: str) -> str:
    return say("\u201c{quotation}\u201d", quotation=text)
