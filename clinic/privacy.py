"""The privacy notice: which version of it a patient could read."""

import hashlib
import re

from django.template.loader import render_to_string
from django.utils import translation

from clinic.context import site

TEMPLATE = "clinic/privacy.html"


def version(language: str) -> str:
    """Return the version of the privacy notice in a language: a hash of the words on its page.

    A submission stores the version to which the patient agreed. Links and spaces do not count.
    """
    with translation.override(language):
        html = render_to_string(TEMPLATE, site(None) | {"version": ""})
    main = html.partition("<main")[2].partition("</main>")[0]
    words = " ".join(re.sub(r"<[^>]*>", " ", main.partition(">")[2]).split())
    return hashlib.sha256(words.encode()).hexdigest()[:16]
