"""Put typed values into a form of a rendered page, so that the page comes back as it was left.

The functions change only the text of the page. Hidden fields and buttons keep the page's own
values, because they say which version of a record the page shows now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from django.utils.html import escape

Fields = Mapping[str, list[str]]
# inputs whose values a person does not type
_UNTYPED = {"hidden", "submit", "button", "image", "reset", "file", "password"}
_TICKED = {"checkbox", "radio"}


@dataclass(slots=True)
class _Tag:
    """One start tag of a control: its attributes, and where it begins and ends in the page."""

    name: str
    attributes: dict[str, str]
    start: int
    end: int
    close: int = 0  # where the end tag of a textarea begins
    of: str = ""  # the name of the select to which an option belongs

    @property
    def kind(self) -> str:
        return self.attributes.get("type", "text").lower() if self.name == "input" else self.name


@dataclass(slots=True)
class _Form:
    action: str
    method: str
    body: int  # where the content of the form begins
    tags: list[_Tag] = field(default_factory=list)

    def fit(self, fields: Fields) -> tuple[int, int]:
        """Return how many posted names the form has, and how many fixed values are the same."""
        names = {tag.attributes.get("name", "") for tag in self.tags}
        fixed = [
            tag
            for tag in self.tags
            if tag.kind in _UNTYPED | {"button"}
            and tag.attributes.get("value", "") in fields.get(tag.attributes.get("name", ""), [])
        ]
        return len(names & fields.keys()), len(fixed)


class _Reader(HTMLParser):
    """Find all forms of a page and their controls."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=False)
        self.page = page
        self.lines = [0]
        for line in page.split("\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)
        self.forms: list[_Form] = []
        self.open: _Form | None = None
        self.select = ""
        self.feed(page)
        self.close()

    def _here(self) -> int:
        line, column = self.getpos()
        return self.lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        start = self._here()
        end = start + len(self.get_starttag_text() or "")
        if tag == "form":
            action, method = attributes.get("action", ""), attributes.get("method", "get")
            self.open = _Form(action, method.lower(), end)
            self.forms.append(self.open)
        elif self.open is not None and tag in ("input", "textarea", "select", "option", "button"):
            if tag == "select":
                self.select = attributes.get("name", "")
            self.open.tags.append(_Tag(tag, attributes, start, end, of=self.select))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        elif tag == "select":
            self.select = ""
        elif tag == "textarea" and self.open is not None and self.open.tags:
            self.open.tags[-1].close = self._here()


@dataclass(frozen=True, slots=True)
class Filled:
    """A page with a form filled in, and the typed values for which the form has no place."""

    page: str
    left_over: dict[str, list[str]]


def fill(page: str, address: str, path: str, fields: Fields, note: str) -> Filled | None:
    """Fill in the form of the page that posts to `path`. Returns None if the page has no such form.

    `address` is the address of the page. `note` is HTML that is put at the beginning of the form.
    It may contain `{left_over}`, which is replaced by the values without a place.
    """
    forms = [
        form
        for form in _Reader(page).forms
        if form.method == "post" and urlsplit(urljoin(address, form.action or address)).path == path
    ]
    if not forms:
        return None
    form = max(forms, key=lambda each: each.fit(fields))
    unused = {name: [*values] for name, values in fields.items()}
    edits = [edit for tag in form.tags for edit in _edit(tag, fields, unused)]
    left_over = {name: values for name, values in unused.items() if any(values)}
    edits.append((form.body, form.body, note.replace("{left_over}", _as_text(left_over))))
    for start, end, text in sorted(edits, reverse=True):
        page = page[:start] + text + page[end:]
    return Filled(page, left_over)


def _edit(tag: _Tag, fields: Fields, unused: dict[str, list[str]]) -> list[tuple[int, int, str]]:
    """Return the changes of the page for one control, and take its values out of `unused`."""
    name = tag.of if tag.name == "option" else tag.attributes.get("name", "")
    if tag.name == "select" or not name:
        return []
    if tag.kind in _UNTYPED:
        unused.pop(name, None)
        return []
    if tag.name == "textarea":
        # a browser drops the first line end of a textarea
        typed = "\n" + escape(_next(unused, name))
        return [(tag.end, tag.close or tag.end, typed)]
    if tag.name == "option":
        value = tag.attributes.get("value", "")
        chosen = value in fields.get(name, [])
        _drop(unused, name, value)
        return [(tag.start, tag.end, _start_tag(tag, "selected", "" if chosen else None))]
    if tag.kind in _TICKED:
        value = tag.attributes.get("value", "on")
        ticked = value in fields.get(name, [])
        _drop(unused, name, value)
        return [(tag.start, tag.end, _start_tag(tag, "checked", "" if ticked else None))]
    return [(tag.start, tag.end, _start_tag(tag, "value", _next(unused, name)))]


def _next(unused: dict[str, list[str]], name: str) -> str:
    return unused[name].pop(0) if unused.get(name) else ""


def _drop(unused: dict[str, list[str]], name: str, value: str) -> None:
    if value in unused.get(name, []):
        unused[name].remove(value)


def _start_tag(tag: _Tag, attribute: str, value: str | None) -> str:
    """Write a start tag with one attribute set, or removed if `value` is None."""
    attributes = {name: text for name, text in tag.attributes.items() if name != attribute}
    if value is not None:
        attributes[attribute] = value
    written = "".join(f' {name}="{escape(text)}"' for name, text in attributes.items())
    return f"<{tag.name}{written}>"


def _as_text(left_over: dict[str, list[str]]) -> str:
    values = [value for each in left_over.values() for value in each if value]
    return "".join(f"<textarea readonly>\n{escape(value)}</textarea>" for value in values)
