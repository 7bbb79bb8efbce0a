"""Tags and filters for the templates of all apps.

With these tags a template of `intake` can show pages by name, so that the code of `intake` need not
import `education`.
"""

from collections.abc import Iterable

from django import template
from django.utils.translation import get_language

from education import rendering, web
from education.models import Page

register = template.Library()
register.filter("fill_in", rendering.fill_in)
register.simple_tag(web.clinic_facts, name="clinic_facts")

MAX_PAGES = 5


@register.simple_tag
def pages_to_read(names: Iterable[str]) -> list[Page]:
    """Return the visible pages with these names, at most MAX_PAGES. Takes one query at most."""
    names = list(names)
    if not names:
        return []
    there = {page.name: page for page in Page.objects.directory(get_language())}
    return [there[name] for name in names if name in there][:MAX_PAGES]
