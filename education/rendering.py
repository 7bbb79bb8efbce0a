"""Render Markdown as the HTML of a page. No other module of the apps marks a text as safe.

Two barriers protect readers: the parser accepts no raw HTML, and then only tags and attributes on a
list are kept.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import nh3
from django.conf import settings
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from clinic import hours
from clinic.context import in_language, phone_link
from education import markup
from intake.protocols import served

_TAGS = set(
    "a blockquote br code dd div dl dt em h2"
    " h3 h4 h5 h6 hr li ol p pre span strong sup table tbody td"
    " th thead tr ul bdi img".split()
)
_ATTRIBUTES = {
    **{tag: {"id", "class"} for tag in ("h2", "h3", "h4", "h5", "h6")},
    "a": {"href", "class", "aria-label", "data-whole"},
    "div": {"class", "role", "tabindex", "aria-label"},
    "img": {"src", "alt", "width", "height", "loading"},
    "ol": {"start"},
    "p": {"class"},
    "span": {"class"},
    "sup": {"class"},
}
_TEL = re.compile(r"tel:\+?[0-9]+")
_OWN_PICTURE = re.compile(r"/pictures/[0-9a-f]{64}\.(png|jpeg|webp)")
_SOURCE = re.compile(r"source-\d+")
_RESERVED = ("main", "sources", "contents")
_STARTS = ("/intake/", "/appointments/")
_CARD = {"emergency": "now", "same-day": "today", "ask": "calm"}


@dataclass(frozen=True)
class Voice:
    """The clinic's name, phone numbers and periods, which replace the placeholders in a text.

    `urgent`, `soon` and `routine` are the periods within which patients of these levels are seen.
    """

    language: str
    name: str
    phone: str
    hours: str
    emergency: str
    crisis: str
    urgent: str
    soon: str
    routine: str

    def text_for(self, placeholder: str) -> str:
        own = {"911": self.emergency, "988": self.crisis}
        return own.get(placeholder) or str(getattr(self, placeholder))


@dataclass(frozen=True)
class Part:
    """A rendered section: the id to which links can lead, the heading, and the HTML."""

    id: str
    heading: str
    html: SafeString


@dataclass(frozen=True)
class ShownPicture:
    """A picture that a text may show: its name in texts, its address, its words, its size."""

    name: str
    address: str
    alt: str
    width: int
    height: int


def voice() -> Voice:
    """Return the clinic's name, numbers and periods, for texts in the current language."""
    return Voice(
        language=get_language() or settings.LANGUAGE_CODE,
        name=settings.CLINIC_NAME,
        phone=settings.CLINIC_PHONE,
        hours=_hours_words(),
        emergency=settings.EMERGENCY_NUMBER,
        crisis=settings.CRISIS_LINE,
        urgent=_seen_within("urgent"),
        soon=_seen_within("soon"),
        routine=_seen_within("routine"),
    )


def _hours_words() -> str:
    """Return the opening hours and the coming closures in words."""
    lines = [f"{label}, {text}" for label, text in settings.CLINIC_HOURS.describe()]
    for name, week in hours.own_weeks():
        lines.append(f"{name}: " + ", ".join(f"{label} {text}" for label, text in week))
    for closure in hours.coming_closures():
        given = {"when": closure.words, "place": closure.place}
        if not closure.sure:
            lines.append(_("on %(when)s, a holiday, please call before you come") % given)
        elif closure.place:
            lines.append(_("%(place)s is closed %(when)s") % given)
        else:
            lines.append(_("closed %(when)s") % given)
    return "; ".join(lines)


def _seen_within(level: str) -> str:
    """Return in words the period within which patients of a level are seen.

    If the served protocols set different periods, the longest counts.
    """
    return hours.period_words(
        days=max(protocol.level(level).seen.days or 0 for protocol in served())
    )


def render(
    sections: Sequence[tuple[str, str]],
    *,
    sources: int,
    pictures: Sequence[ShownPicture] = (),
    leads_to: str = "",
) -> tuple[Part, ...]:
    """Render the sections (heading, Markdown) of one page. Each id occurs once on the page.

    `sources` is the number of the page's sources; a source mark with a higher number is shown
    without a link. A picture that is not in `pictures` is replaced by its words. Links and cards
    that begin questions or a request lead to the protocol `leads_to`. No text that an editor writes
    can harm a reader's browser.
    """
    return _render(tuple(sections), sources, tuple(pictures), leads_to, voice())


@lru_cache(maxsize=256)
def _render(
    sections: tuple[tuple[str, str], ...],
    sources: int,
    pictures: tuple[ShownPicture, ...],
    leads_to: str,
    voice: Voice,
) -> tuple[Part, ...]:
    ids = set(_RESERVED)
    parts = []
    for heading, body in sections:
        env: dict[str, Any] = {
            "ids": ids, "heading": heading, "sources": sources, "voice": voice, "in_card": False,
            "pictures": {picture.name: picture for picture in pictures}, "leads_to": leads_to,
        }  # fmt: skip
        id = _new_id(heading, ids) if heading else ""
        heading = markup.fill_in(heading, voice.text_for)
        parts.append(Part(id, heading, _sanitized(_MD.render(body, env))))
    return tuple(parts)


def _sanitized(html: str) -> SafeString:
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "tel"},
        link_rel=None,
    )
    return mark_safe(clean)  # noqa: S308


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href" and not (markup.is_link(value) or _TEL.fullmatch(value)):
        return None
    if name == "src" and not _OWN_PICTURE.fullmatch(value):
        return None
    return value


def fill_in(text: str) -> str:
    """Replace placeholders and US emergency numbers by this clinic's own values.

    For titles and summaries, which contain no Markdown.
    """
    return markup.fill_in(text, voice().text_for)


def json_ld(data: dict[str, Any]) -> SafeString:
    """Return facts for search engines in a script element, which browsers do not run."""
    escaped = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}
    text = mark_safe(json.dumps(data, ensure_ascii=False).translate(escaped))  # noqa: S308
    return format_html('<script type="application/ld+json">{}</script>', text)


def highlighted(extract: str) -> SafeString:
    """Return an extract of a page as escaped HTML in which the found words are marked."""
    start, stop = markup.HIGHLIGHT
    first, *found = extract.split(start)
    html = escape(first)
    for piece in found:
        word, _stop, rest = piece.partition(stop)
        html += format_html("<mark>{}</mark>{}", word, rest)
    return html


# --- the parts of a text ------------------------------------------------------------------------


def _new_id(words: str, ids: set[str]) -> str:
    """Make an id from these words, different from all ids that the page already has."""
    base = slugify(words)[:60] or "part"
    number, id = 1, base
    while id in ids or _SOURCE.fullmatch(id):
        number += 1
        id = f"{base}-{number}"
    ids.add(id)
    return id


def _headings(state: StateCore) -> None:
    """Give each heading inside a section an id, and a level of h3 or lower.

    The heading of the section itself is an h2.
    """
    for number, token in enumerate(state.tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{max(3, int(token.tag[1]))}"
        if token.type == "heading_open":
            words = markup.plain(state.tokens[number + 1].content)
            token.attrSet("id", _new_id(words, state.env["ids"]))


def _mark(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    numbers = markup.numbers(tokens[at].content)
    links = (_source_link(n) if 1 <= n <= env["sources"] else str(n) for n in numbers)
    return f'<sup class="mark">{", ".join(links)}</sup>'


def _source_link(number: int) -> SafeString:
    name = _("Source %(n)s") % {"n": number}
    return format_html('<a href="#source-{}" aria-label="{}">{}</a>', number, name, number)


def _image(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """Show a known picture; replace an unknown picture by its words.

    If the text has words for the picture, these words replace the picture's own words.
    """
    token = tokens[at]
    words = self.renderInlineAsText(token.children, options, env).strip()
    picture = env["pictures"].get(markup.picture_name(str(token.attrs["src"])))
    if picture is None:
        return escape(words)
    return format_html(
        '<img src="{}" alt="{}" width="{}" height="{}" loading="lazy">',
        picture.address,
        words or picture.alt,
        picture.width,
        picture.height,
    )


def _placeholder(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any
) -> str:
    name, voice = tokens[at].content, env["voice"]
    text = voice.text_for(name)
    if name == "phone":
        number = format_html("<bdi>{}</bdi>", text)
        # no link here, because a card already has a button, and a link cannot contain a link
        if env["in_card"] or tokens[at].meta["in_link"]:
            return number
        return format_html('<a href="{}">{}</a>', phone_link(text), number)
    return escape(text)


def _link(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """Add the prefix of the page's language to a link inside of this site.

    `data-whole` is the whole address, which is printed behind the link. A link to the start of the
    questions or of a request leads to the protocol that fits the page.
    """
    href = str(tokens[at].attrGet("href") or "")
    if href in _STARTS and env["leads_to"]:
        href += f"{env['leads_to']}/"
    if href.startswith("/"):
        href = in_language(href, env["voice"].language)
        tokens[at].attrSet("href", href)
        tokens[at].attrSet("data-whole", f"{settings.SITE_ORIGIN}{href}")
    return self.renderToken(tokens, at, options, env)


def _fence(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    level = markup.care_level(tokens[at])
    if level not in markup.LEVELS or env["in_card"]:
        return self.fence(tokens, at, options, env)
    inner = _MD.render(tokens[at].content, {**env, "in_card": True})
    asks_to_call = "{phone}" in tokens[at].content
    spoken, head, action = _card_parts(
        level, env["voice"], env["leads_to"], asks_to_call=asks_to_call
    )
    tag = "h3" if env["heading"] else "h2"  # one level below the heading that the card stands under
    lead = format_html(
        '<{} class="head"><span class="vh">{}: </span>{}</{}>', tag, spoken, head, tag
    )
    return f'<div class="card care {_CARD[level]}">{lead}{inner}{action}</div>\n'


def _card_parts(
    level: str, voice: Voice, leads_to: str, *, asks_to_call: bool
) -> tuple[str, str, SafeString]:
    """Return a care card's level as a spoken word, its heading, and its one button.

    The word is for screen readers, which do not tell the colour of the card.
    """
    if level == "emergency":
        call = _("Call %(number)s") % {"number": voice.emergency}
        return _("Emergency"), _("Get help now"), _action(f"tel:{voice.emergency}", call)
    call = SafeString(_("Call us: <bdi>%(phone)s</bdi>") % {"phone": escape(voice.phone)})
    if level == "same-day":
        return _("Same day"), _("Today"), _action(phone_link(voice.phone), call)
    if asks_to_call:
        return _("Not urgent"), _("Ask us"), _action(phone_link(voice.phone), call)
    wish = format_html(
        '<p class="actions"><a class="button plain" href="{}">{}</a></p>',
        reverse("intake:appointments_of", args=[leads_to])
        if leads_to
        else reverse("intake:appointments"),
        _("Ask for an appointment"),
    )
    return _("Not urgent"), _("Ask us"), wish


def _action(link: str, words: str) -> SafeString:
    return format_html(
        '<p class="actions"><a class="button call" href="{}"><span>{}</span></a></p>', link, words
    )


def _table_open(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any
) -> str:
    name = _("Table: %(heading)s") % {"heading": env["heading"]} if env["heading"] else _("Table")
    return format_html(
        '<div class="scroll" role="region" tabindex="0" aria-label="{}"><table>', name
    )


def _table_close(
    self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any
) -> str:
    return "</table></div>\n"


_MD = markup.parser()
_MD.core.ruler.push("headings", _headings)
for _name, _rule in (
    ("source_mark", _mark),
    ("placeholder", _placeholder),
    ("image", _image),
    ("fence", _fence),
    ("link_open", _link),
    ("table_open", _table_open),
    ("table_close", _table_close),
):
    _MD.add_render_rule(_name, _rule)
