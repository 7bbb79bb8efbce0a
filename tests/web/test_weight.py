"""What a phone loads for a page, and from which hosts."""

import gzip
import re

import pytest
from django.contrib.staticfiles import finders

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
LINKED = re.compile(r'<(?:link|script)\b[^>]*?(?:href|src)="(/static/[^"]+\.(?:css|js))"')
LOADED = re.compile(
    r'<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?\b(?:src|data|srcset)="([^"]+)"'
    r'|<link\b[^>]*rel="(?:stylesheet|icon|preload|manifest)"[^>]*href="([^"]+)"'
)
IN_STYLE = re.compile(rb"(?:url\(|@import)\s*['\"]?([^'\")\s]+)")
MOST = 40_000


def test_no_page_weighs_more_than_40_kb_compressed(pages):
    files: dict[str, int] = {}
    heavy = []
    for name, text in pages.items():
        total = len(gzip.compress(text.encode(), 6))
        for path in set(LINKED.findall(text)):
            if path not in files:
                with open(finders.find(path.removeprefix("/static/")), "rb") as file:
                    files[path] = len(gzip.compress(file.read(), 6))
            total += files[path]
        if total > MOST:
            heavy.append((name, total))
    assert files
    assert heavy == []


def test_no_page_asks_anything_of_another_host(pages):
    for name, text in pages.items():
        asked = [path for pair in LOADED.findall(text) for path in pair if path]
        assert asked, name
        assert [path for path in asked if not path.startswith("/static/")] == [], name
        for path in asked:
            if path.endswith(".css"):
                with open(finders.find(path.removeprefix("/static/")), "rb") as file:
                    for found in IN_STYLE.findall(file.read()):
                        assert b"//" not in found, (path, found)
