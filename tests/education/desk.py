"""The acts of editors and clinicians on pages, one function each."""

from typing import Any

import msgspec

from education import content
from education.models import Page
from education.services import editing
from tests import builders


def fresh(page: Page) -> Page:
    return Page.objects.with_texts().get(pk=page.pk)


def read(page: Page) -> str:
    """Return the hash of the page's current text, which a form sends to say what was read."""
    return fresh(page).as_written().content_hash


def change(page: Page, by: Any = None, **columns: Any) -> Page:
    """Change columns of the page's text as an editor, and return the changed page."""
    text = msgspec.structs.replace(fresh(page).as_written(), **columns)
    editing.save_text(page=page, text=text, by=by or editor(), read=read(page))
    return fresh(page)


def editor(name: str = "ed") -> Any:
    return builders.member("content editor", name)


def clinician(name: str = "dr-who") -> Any:
    return builders.member("clinician", name)


def publish(page: Page) -> Page:
    """Review the page as a clinician, and publish it as an editor."""
    editing.review(page=page, by=clinician(), read=read(page), next_on=None)
    editing.publish(page=page, by=editor(), read=read(page))
    return fresh(page)


def section(heading: str, body: str) -> content.Section:
    return content.Section(heading, body)
