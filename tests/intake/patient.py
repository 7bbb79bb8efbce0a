"""A patient with a browser, who reads a page, fills in its form and presses a button.

The patient's answers are a mapping from the name of a control to the answer. The controls come from
the page's HTML alone. So a page that forgets to ask a question is noticed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from intake.domain.answers import clean_answer
from intake.draft_content import APPOINTMENT, Content
from intake.draft_content import CONTACT as CONTACT_STEP
from intake.models.submissions import Draft
from intake.protocols import current
from intake.questionnaire import drafts
from tests.builders import ORDINARY

Values = Mapping[str, Any]
AGE = ORDINARY["age_years"]
AFTER = (APPOINTMENT, "check")  # the steps after the contact


def born(age: int) -> dict[str, str]:
    """Return a birth date, as typed, of a person who is `age` years old today."""
    year = str(timezone.localdate().year - age)
    return {"birth_date_month": "1", "birth_date_day": "1", "birth_date_year": year}


def typed_date(name: str, day: date | None) -> dict[str, str]:
    """Return a date as typed into its three boxes."""
    parts = {"month": day.month, "day": day.day, "year": day.year} if day else {}
    return {f"{name}_{part}": str(parts.get(part, "")) for part in ("month", "day", "year")}


CONTACT: dict[str, Any] = {
    "name": "Quentin Canary",
    "proxy_name": "Petra Canary",
    **born(AGE),
    "callback_phone": "(202) 555-0147",
    "email": "quentin.canary@example.org",
    "been_here": "new",
    "prefer": "phone",
    "prefer_time": "any",
    "calls": "any",
    "voicemail": "yes",
    "lang_help": "english",
    "consent": "on",
}
WISH: dict[str, Any] = {
    "visit_type": "in_person",
    "days": ("mon", "thu"),
    "times": ("morning",),
}
# A patient who is asked every optional question too: she has every complaint, but nothing is urgent
# today.
TALKATIVE: dict[str, Any] = {
    "sex_at_birth": "female",
    "age_years": 44,
    "pregnancy_status": "no",
    "reason_text": "It creeps up my legs in the evening.",
    "reason_wait": "no",
    "vein_look": ("varicose",),
    "vein_sx": ("heavy_ache",),
    "vein_bleed": "never",
    "walk_pain": "yes",
    "walk_pattern": ("in_calf", "stops_10min"),
    "walk_distance": "over_2_blocks",
    "iron_results": "yes_numbers",
    "ferritin": "61.5",
    "tsat": "22",
    "hemoglobin": "13.1",
    "meds_classes": ("antihistamine_sedating", "dopamine_agonist"),
    "meds_list": "vitamin D",
    "med_link": "no",
    "dopa_effects": ("none",),
}


@dataclass
class Control:
    """All controls of one name: their kind, and the offered and the chosen values."""

    name: str
    kind: str
    offered: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)


@dataclass
class Form:
    action: str
    controls: dict[str, Control] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)  # value of a button → its name

    @property
    def buttons(self) -> list[str]:
        return list(self.named)

    @property
    def asked(self) -> list[str]:
        """The names of the controls that a person sees: all except hidden controls."""
        return [c.name for c in self.controls.values() if c.kind != "hidden"]

    @property
    def values(self) -> dict[str, list[str]]:
        """The values that a browser would send for the untouched form."""
        return {c.name: list(c.chosen) for c in self.controls.values() if c.chosen}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.title = ""
        self._link = self._area = None
        self._apart: list[tuple[str, dict[str, str]]] = []  # buttons that stand before their form
        self._in_title = False

    def handle_starttag(self, tag: str, pairs: Any) -> None:
        attrs = {name: value or "" for name, value in pairs}
        if tag == "form":
            form = Form(attrs.get("action", ""))
            self.forms.append(form)
            for owner, button in self._apart:
                if owner == attrs.get("id"):
                    form.named |= button
        elif tag == "a":
            self._link = (attrs.get("href", ""), [])
        elif tag == "title":
            self._in_title = True
        elif tag == "button" and "form" in attrs:
            self._apart.append((attrs["form"], {attrs.get("value", ""): attrs.get("name", "")}))
        elif tag == "button":
            self.forms[-1].named[attrs.get("value", "")] = attrs.get("name", "")
        elif tag in ("input", "textarea") and self.forms:
            self._control(tag, attrs)

    def _control(self, tag: str, attrs: dict[str, str]) -> None:
        kind = attrs.get("type", "text") if tag == "input" else "textarea"
        control = self.forms[-1].controls.setdefault(attrs["name"], Control(attrs["name"], kind))
        if kind in ("radio", "checkbox"):
            value = attrs.get("value", "on")
            control.offered.append(value)
            if "checked" in attrs:
                control.chosen.append(value)
        elif tag == "textarea":
            self._area = (control, [])
        else:
            control.chosen.append(attrs.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif self._area:
            self._area[1].append(data)
        else:
            self.words.append(data)
        if self._link:
            self._link[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag == "a" and self._link:
            self.links.append((self._link[0], " ".join("".join(self._link[1]).split())))
            self._link = None
        elif tag == "textarea" and self._area:
            # a browser ignores the line end after <textarea>, which Django's widget adds
            self._area[0].chosen.append("".join(self._area[1]).removeprefix("\n"))
            self._area = None


class Page:
    """A page as a person sees it."""

    def __init__(self, url: str, response: HttpResponse) -> None:
        self.url, self.status, self.response = url, response.status_code, response
        self.html = response.content.decode()

    @cached_property
    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.html)
        return reader

    @property
    def title(self) -> str:
        return self._read.title

    @property
    def forms(self) -> list[Form]:
        return self._read.forms

    @property
    def links(self) -> list[tuple[str, str]]:
        return self._read.links

    @cached_property
    def text(self) -> str:
        return " ".join("".join(self._read.words).split())

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def step(self) -> str:
        """The last part of the path: a step such as `about-2`, or a page such as `check`."""
        return self.path.strip("/").rpartition("/")[2]

    @property
    def form(self) -> Form:
        """The form with the most visible controls, which is the form that asks questions."""
        return max(self.forms, key=lambda form: len(form.asked))

    def link(self, words: str) -> str:
        """Return the address of the link with these words."""
        (found,) = {href for href, text in self.links if text == words}
        return found

    def links_to(self, target: str) -> bool:
        return any(href == target for href, _text in self.links)

    @property
    def red_card(self) -> bool:
        return 'class="card now"' in self.html

    @property
    def errors(self) -> list[str]:
        """The messages of the error summary, without the names of the questions."""
        summary = re.search(r'<div class="problem".*?</ul>', self.html, re.S)
        found = re.findall(r"<li>(.*?)</li>", summary[0], re.S) if summary else []
        return [
            re.sub(r'(?s)<span class="of">.*?</span>|<[^>]+>', "", text).strip() for text in found
        ]


class Patient:
    """One person with one browser. `says` overrides the answers of the ordinary man."""

    def __init__(self, client: Client | None = None, **says: Any) -> None:
        self.client = client or Client()
        age = {**ORDINARY, **says}["age_years"]
        self.says: dict[str, Any] = {
            **ORDINARY,
            **CONTACT,
            **(born(age) if isinstance(age, int) else {}),
            **WISH,
            **says,
        }
        self.seen: list[Page] = []
        self.requests: list[tuple[str, str, HttpResponse]] = []

    # --- requests ----------------------------------------------------------------------------
    @property
    def page(self) -> Page:
        return self.seen[-1]

    def get(self, url: str) -> Page:
        return self._follow("GET", url, self.client.get(url))

    def post(self, url: str, data: Values, **headers: Any) -> Page:
        return self._follow("POST", url, self.client.post(url, urlencoded(data), **FORM, **headers))

    def _follow(self, method: str, url: str, response: HttpResponse) -> Page:
        self.requests.append((method, url, response))
        for _hop in range(10):
            if response.status_code not in (301, 302, 303):
                break
            url = response["Location"]
            response = self.client.get(url)
            self.requests.append(("GET", url, response))
        else:
            raise AssertionError(f"{url} leads in a circle")
        self.seen.append(Page(url, response))
        return self.page

    @property
    def draft(self) -> Draft:
        return Draft.objects.get()

    @property
    def counted(self) -> dict[str, Any]:
        """What the draft holds, without the typed text that only comes back to the patient."""
        content = self.draft.content
        return {name: content[name] for name in content if name not in ("typed", "returned")}

    @property
    def key(self) -> str:
        return self.client.cookies[settings.DRAFT_COOKIE_NAME].value

    # --- the walk ----------------------------------------------------------------------------
    def start(self, url: str = "/intake/") -> Page:
        page = self.get(url)
        assert page.status == 200
        return self.press("mine")

    def filled(self, **instead: Any) -> dict[str, Any]:
        """Return the values of this page's controls, with the patient's answers filled in."""
        says = {**self.says, **instead}
        form = self.page.form
        data = {name: form.controls[name].chosen for name in form.controls}
        for name in form.asked:
            value = says.get(name)
            if value is None:
                data.pop(name, None)
            else:
                data[name] = value
        return data | {name: value for name, value in instead.items() if value is not None}

    def press(self, button: str = "continue", data: Values | None = None) -> Page:
        """Press a button of the page. Without `data`, the form is posted as the page shows it."""
        form = next(form for form in self.page.forms if button in form.buttons)
        filled = form.values if data is None else data
        return self.post(form.action or self.page.url, {**filled, form.named[button]: button})

    def answer(self, **instead: Any) -> Page:
        """Fill in the page and press Continue. `instead` overrides the patient's answers."""
        return self.press("continue", self.filled(**instead))

    def insist(self) -> Page:
        """Press Continue again if the page asks whether the answers are correct."""
        if any(form.values.get("asked") for form in self.page.forms):
            self.press("continue")
        return self.page

    def walk_to(self, step: str) -> Page:
        """Fill in page after page until `step` is shown."""
        for _page in range(60):
            if self.page.step == step:
                return self.page
            before = self.page.step
            self.answer()
            assert self.page.status == 200, (before, self.page.errors)
            assert self.page.step != before, f"{before} comes again"
        raise AssertionError(f"{step} never came")

    def jump_to(self, step: str) -> Page:
        """Open `step` with a draft that contains all earlier answers, without filling in pages."""
        answers: dict[str, Any] = {}
        visited: list[str] = []
        for page in current().pages:
            if page.id in (step, CONTACT_STEP):
                break
            visited.append(page.id)
            for question in page.questions:
                said = self.says.get(question.id)
                if said is not None:
                    several = said if isinstance(said, tuple) else (str(said),)
                    answers[question.id] = clean_answer(question, several)
        content = Content(answers=answers, visited=tuple(visited))
        _draft, key = drafts.begin(kind="intake", language="en", device="mine", content=content)
        self.client.cookies[settings.DRAFT_COOKIE_NAME] = key
        self.get(step_url(step if step in visited or step not in AFTER else CONTACT_STEP))
        return self.walk_to(step)

    def send(self) -> Page:
        return self.press("send", self.filled())

    def whole_journey(self, url: str = "/intake/") -> Page:
        self.start(url)
        self.walk_to("check")
        return self.send()

    def change(self, step: str) -> Page:
        """Open a step through its "Change" link on the check page."""
        return self.get(step_url(step) + "?change=1")


FORM = {"content_type": "application/x-www-form-urlencoded"}


def urlencoded(data: Values) -> str:
    from urllib.parse import urlencode

    pairs: list[tuple[str, str]] = []
    for name, value in data.items():
        several: Iterable[Any] = value if isinstance(value, tuple | list) else (value,)
        pairs += [(name, str(one)) for one in several]
    return urlencode(pairs)


def step_url(step: str) -> str:
    return reverse("intake:page", kwargs={"protocol": current().name, "step": step})
