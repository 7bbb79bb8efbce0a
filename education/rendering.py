"""From Markdown to the HTML of a page. Two walls: a parser without raw HTML, then a list of what
may stand in a page at all. The only module of the apps that calls a text safe.
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
    "a blockquote br code dd div dl dt em h3 h4 h5 h6 hr li ol p pre span strong sup table tbody td"
    " th thead tr ul bdi img".split()
)
_ATTRIBUTES = {
    **{tag: {"id"} for tag in ("h3", "h4", "h5", "h6")},
    "a": {"href", "class", "aria-label"},
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
_CARD = {"emergency": "now", "same-day": "today", "ask": "calm"}


@dataclass(frozen=True)
class Voice:
    """The clinic's own words in a text: whom to call, how soon it sees patients, in which language.

    `urgent`, `soon` and `routine` are the periods within which a patient of that level is seen.
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

    def says(self, placeholder: str) -> str:
        own = {"911": self.emergency, "988": self.crisis}
        return own.get(placeholder) or str(getattr(self, placeholder))


@dataclass(frozen=True)
class Part:
    """A section to show: where it is linked to, its heading, its HTML."""

    id: str
    heading: str
    html: SafeString


@dataclass(frozen=True)
class Shown:
    """A picture that a text may show: by which name, where it is, its words, its sides."""

    name: str
    address: str
    alt: str
    width: int
    height: int


def voice() -> Voice:
    """How this clinic speaks, from the settings."""
    return Voice(
        language=get_language() or settings.LANGUAGE_CODE,
        name=settings.CLINIC_NAME,
        phone=settings.CLINIC_PHONE,
        hours="; ".join(f"{label}, {text}" for label, text in settings.CLINIC_HOURS.describe()),
        emergency=settings.EMERGENCY_NUMBER,
        crisis=settings.CRISIS_LINE,
        urgent=_seen_within("urgent"),
        soon=_seen_within("soon"),
        routine=_seen_within("routine"),
    )


def _seen_within(level: str) -> str:
    """Return the period of a level in words: the longest that a served protocol sets."""
    return hours.period_words(
        days=max(protocol.level(level).seen.days or 0 for protocol in served())
    )


def render(
    sections: Sequence[tuple[str, str]], *, sources: int, pictures: Sequence[Shown] = ()
) -> tuple[Part, ...]:
    """The sections (heading, Markdown) of one page, with ids that occur once on it.

    `sources` is how many there are: a mark beyond them is shown and leads nowhere. Of
    pictures those given are shown, of others the words alone. What an editor writes can be wrong,
    never harmful.
    """
    return _render(tuple(sections), sources, tuple(pictures), voice())


@lru_cache(maxsize=256)
def _render(
    sections: tuple[tuple[str, str], ...],
    sources: int,
    pictures: tuple[Shown, ...],
    voice: Voice,
) -> tuple[Part, ...]:
    ids = set(_RESERVED)
    parts = []
    for heading, body in sections:
        env: dict[str, Any] = {
            "ids": ids, "heading": heading, "sources": sources, "voice": voice, "in_card": False,
            "pictures": {picture.name: picture for picture in pictures},
        }  # fmt: skip
        id = _new_id(heading, ids) if heading else ""
        heading = markup.say(heading, voice.says)
        parts.append(Part(id, heading, _washed(_MD.render(body, env))))
    return tuple(parts)


def _washed(html: str) -> SafeString:
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


def say(text: str) -> str:
    """A text without Markdown, written for the US, with this clinic's numbers and name."""
    return markup.say(text, voice().says)


def json_ld(data: dict[str, Any]) -> SafeString:
    """Facts about a page for search engines: a block of data, which a browser never runs."""
    escaped = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}
    text = mark_safe(json.dumps(data, ensure_ascii=False).translate(escaped))  # noqa: S308
    return format_html('<script type="application/ld+json">{}</script>', text)


def highlighted(extract: str) -> SafeString:
    """An extract with the found words marked, everything in it escaped."""
    start, stop = markup.HIGHLIGHT
    first, *found = extract.split(start)
    html = escape(first)
    for piece in found:
        word, _stop, rest = piece.partition(stop)
        html += format_html("<mark>{}</mark>{}", word, rest)
    return html


# --- the parts of a text ------------------------------------------------------------------------


def _new_id(words: str, ids: set[str]) -> str:
    """An id of these words that the page does not have yet."""
    base = slugify(words)[:60] or "part"
    number, id = 1, base
    while id in ids or _SOURCE.fullmatch(id):
        number += 1
        id = f"{base}-{number}"
    ids.add(id)
    return id


def _headings(state: StateCore) -> None:
    """Headings of a text stand under the section's own, which is an h2, and get an id."""
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
    """A picture of ours, with the words of the text or its own; of any other, the words."""
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
    what, voice = tokens[at].content, env["voice"]
    said = voice.says(what)
    if what == "phone":
        number = format_html("<bdi>{}</bdi>", said)
        # a card has its one action, and a link holds no other
        if env["in_card"] or tokens[at].meta["in_link"]:
            return number
        return format_html('<a href="{}">{}</a>', phone_link(said), number)
    return escape(said)


def _link(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """A link inside of this site leads on in the page's language."""
    href = str(tokens[at].attrGet("href") or "")
    if href.startswith("/"):
        tokens[at].attrSet("href", in_language(href, env["voice"].language))
    return self.renderToken(tokens, at, options, env)


def _fence(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    level = markup.care_level(tokens[at])
    if level not in markup.LEVELS or env["in_card"]:
        return self.fence(tokens, at, options, env)
    inner = _MD.render(tokens[at].content, {**env, "in_card": True})
    spoken, head, action = _card_words(
        level, env["voice"], asks_to_call="{phone}" in tokens[at].content
    )
    lead = format_html('<p class="head"><span class="vh">{}: </span>{}</p>', spoken, head)
    return f'<div class="card care {_CARD[level]}">{lead}{inner}{action}</div>\n'


def _card_words(level: str, voice: Voice, *, asks_to_call: bool) -> tuple[str, str, SafeString]:
    """The level in a word for those who do not see its colour, its heading, its one action."""
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
        reverse("intake:appointments"),
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
