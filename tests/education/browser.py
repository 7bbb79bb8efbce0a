"""The admin as an editor or clinician uses it: read a form, change fields, press a button."""

import html
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from education.models import Page
from tests.education import desk


def at(page: Page, name: str = "change") -> str:
    return reverse(f"admin:education_page_{name}", args=[page.pk])


class _Controls(HTMLParser):
    """The names and values of the editor's form."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.inside, self.area, self.choice = False, "", ""
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = given.get("class") == "write"
        if not self.inside:
            return
        name = given.get("name", "")
        if tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.values[name] = given.get("value", "")
        elif tag == "textarea":
            self.area = name
            self.values[name] = ""
        elif tag == "select":
            self.choice = name
            self.values[name] = ""
        elif tag == "option" and "selected" in given:
            self.values[self.choice] = given["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.values[self.area] += data


def typed(response: HttpResponse) -> dict[str, str]:
    """Return the values of the form as a browser sends them, with CRLF at the end of each line."""
    values = _Controls(response.content.decode()).values
    # like a browser, drop the line break after <textarea>
    return {name: value.removeprefix("\n").replace("\n", "\r\n") for name, value in values.items()}


def buttons(response: HttpResponse) -> list[str]:
    found = re.findall(r"<button[^>]*>(.*?)</button>", response.content.decode(), flags=re.S)
    return [html.unescape(re.sub(r"<[^>]+>", "", words)).strip() for words in found]


def store(client: Any, page: Page, opened: HttpResponse | None = None, **changes: str) -> Any:
    """Open the page's form, change the fields that `changes` names, and send the form."""
    form = typed(opened or client.get(at(page)))
    return client.post(at(page), form | changes)


LIST = "/admin/education/page/"
ADD = f"{LIST}add/"


def press(client: Client, page: Page, move: str, **data: str):
    """Press the button `move` of a page, as a person who has read the page's current text."""
    data = {"read": desk.read(page)} | data
    return client.post(at(page, move), data, follow=True)


def in_a_year() -> str:
    return (timezone.localdate() + timedelta(days=365)).isoformat()
