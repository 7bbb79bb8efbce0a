"""The pages in templates of ours and of others, which know them by name alone."""

from collections.abc import Iterable

from django import template
from django.utils.translation import get_language

from education import rendering, web
from education.models import Page

register = template.Library()
register.filter("say", rendering.say)
register.simple_tag(web.clinic_facts, name="clinic_facts")

MOST_TO_READ = 5


@register.simple_tag
def pages_to_read(names: Iterable[str]) -> list[Page]:
    """The visible pages of these names, in their order, some five of them. One query, or none."""
    names = list(names)
    if not names:
        return []
    there = {page.name: page for page in Page.objects.directory(get_language())}
    return [there[name] for name in names if name in there][:MOST_TO_READ]
