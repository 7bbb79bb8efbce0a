"""A third language, begun by files alone: some sentences, one section of a protocol, two pages.

A translated text is the English text behind a mark, so that a test sees which texts are translated.
"""

from pathlib import Path
from typing import Any

import yaml
from django.utils.translation import to_locale

from clinic.management.commands import translations
from education import content
from intake import protocols
from intake.domain.definition import Protocol

SECTION = "about"
PAGES = ("restless-legs/overview", "restless-legs/iron")
SENTENCES = (
    *("Conditions", "Continue", "Questions before your visit", "Check your answers"),
    *("We have your answers", "Call %(tel)s"),
)
BROKEN = "%(n)s of %(all)s"
"""A sentence whose translation has another placeholder than the program fills in."""


def mark(code: str, text: str) -> str:
    return f"{code.upper()}· {text}"


def begin(root: Path, code: str) -> None:
    """Write the files of a translation under way into a copy of the program's data."""
    catalogue(root / "clinic" / "locale" / to_locale(code), code)
    name = "legs"
    words(protocols.load(name), root / "intake" / "protocols" / name / f"{code}.yaml", code)
    pages(root / "education" / "content" / code, code)


def catalogue(folder: Path, code: str) -> None:
    found, path = translations.collected(), folder / "LC_MESSAGES" / "django.po"
    translations._renew(path, folder.name, found)
    text = path.read_text(encoding="utf-8")
    for sentence in SENTENCES:
        empty = f'msgid "{sentence}"\nmsgstr ""'
        assert empty in text, sentence
        text = text.replace(empty, f'msgid "{sentence}"\nmsgstr "{mark(code, sentence)}"')
    text = text.replace(f'"{BROKEN}"\nmsgstr ""', f'"{BROKEN}"\nmsgstr "%(number)s/%(all)s"')
    path.write_text(text, encoding="utf-8")
    translations._renew(path, folder.name, found)


def words(protocol: Protocol, file: Path, code: str) -> None:
    section = next(s for s in protocol.questionnaire.sections if s.id == SECTION)
    data: dict[str, Any] = {"language": code, "translates": protocol.content_hash}
    data["sections"] = {section.id: mark(code, section.title)}
    data["questions"] = {q.id: _question(q, code) for q in section.questions}
    file.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _question(question: Any, code: str) -> dict[str, Any]:
    if isinstance(question.options, dict):
        options = question.options
    else:
        options = {option.code: option.label for option in question.options}
    made: dict[str, Any] = {"text": mark(code, question.text)}
    if question.help:
        made["help"] = mark(code, question.help)
    made["options"] = {key: mark(code, label) for key, label in options.items()}
    if getattr(question, "proxy", None) is not None:
        made["proxy"] = _question(question.proxy, code)
    return made


def pages(folder: Path, code: str, extra: str = "") -> None:
    for english in content.read_pages(content.FOLDER):
        if english.name not in PAGES:
            continue
        front = {
            "title": mark(code, english.title),
            "summary": mark(code, english.title),
            "audience": mark(code, english.audience),
            "order": english.order,
            "topic": english.topic,
            "related": list(english.related),
            "sources": [{"text": s.text, "url": s.url} for s in english.sources],
            "written": english.written,
            "translates": english.content_hash,
        }
        body = "\n\n".join(
            f"## {mark(code, s.heading)}\n\n{s.body}"
            if s.heading
            else f"Marchez. Màchez.\n\n{s.body}"
            for s in english.sections
        )
        path = folder / f"{english.name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        head = yaml.safe_dump(front, allow_unicode=True, sort_keys=False)
        path.write_text(f"---\n{head}---\n{body}\n", encoding="utf-8")
