"""Write a page as PDF, where WeasyPrint and its system libraries are installed."""

import ctypes.util
import importlib.util
from functools import cache
from typing import Any

from django.conf import settings

# libraries of the system that WeasyPrint loads when it is imported
LIBRARIES = ("gobject-2.0", "pango-1.0", "harfbuzz", "fontconfig", "pangoft2-1.0")
STYLES = ("tokens.css", "sheet.css")


@cache
def is_available() -> bool:
    """Whether this machine can write PDF. Imports nothing, because the import takes 0.6 seconds."""
    found = importlib.util.find_spec("weasyprint") is not None
    return found and all(ctypes.util.find_library(name) for name in LIBRARIES)


def document(html: str) -> Any:
    """Lay a page out with the styles of the sheet. Returns WeasyPrint's document.

    No address in the page is opened: not of the web, not of a file, not `data:`.
    """
    from weasyprint import CSS, HTML
    from weasyprint.urls import URLFetcher

    class Nothing(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
        def fetch(self, url: str, headers: Any = None) -> Any:
            raise ValueError("a sheet of paper opens no address")

    folder = settings.BASE_DIR / "static" / "css"
    styles = [CSS(string=(folder / name).read_text(), url_fetcher=Nothing()) for name in STYLES]
    return HTML(string=html, url_fetcher=Nothing()).render(stylesheets=styles)


def from_html(html: str) -> bytes:
    """Return a page as PDF."""
    data: bytes = document(html).write_pdf()
    return data
