"""Pages to read: two small ones, or all that the program brings."""

import pytest

from education import content
from education.models import Page
from education.services import loading
from tests.education import samples

GROUPS = (content.Condition("knees", "Noisy knees"), content.Condition("about", "About us"))


@pytest.fixture
def pages(db) -> dict[str, Page]:
    """The two sample pages as files left them, by name."""
    return load()


def load(*texts: content.Page) -> dict[str, Page]:
    """The given pages, or the two of the samples, brought in from files."""
    loading.load_pages(conditions=GROUPS, pages=texts or (samples.overview(), samples.creaking()))
    return {page.name: page for page in Page.objects.with_texts()}
