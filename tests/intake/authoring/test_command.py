"""`manage.py protocol`, as a nurse uses it."""

import random
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from intake import protocols
from intake.authoring import counts, golden
from intake.authoring.differences import differences
from intake.domain.definition import Protocol, from_document
from tests.examples import examples
from tests.intake.authoring.slips import copied, slip
from tests.intake.domain.altered import (
    with_level,
    with_question,
    with_questions,
    with_rule,
    with_rules,
)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a small protocol, the only protocol in its parent folder."""
    monkeypatch.setattr(protocols, "HERE", tmp_path)
    monkeypatch.setattr(protocols, "load", protocols.load.__wrapped__)
    monkeypatch.setattr(protocols, "translated", protocols.translated.__wrapped__)
    monkeypatch.chdir(tmp_path)
    return copied(tmp_path)


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("protocol", *arguments, stdout=out, stderr=out)
    return out.getvalue()


# --- new and check ------------------------------------------------------------------------------


def test_a_new_protocol_passes_every_check(small: Path) -> None:
    assert "Wrote" in said("new", "cramps")
    assert "No fault" in said("check", "cramps")
    assert "DATE" not in (small.parent / "cramps/questionnaire.yaml").read_text()


@pytest.mark.parametrize(
    "name", ["small", "Cramps", "sent", "shared", "leg_cramps", "../legs", "2nd", "", "a--b"]
)
def test_a_name_that_no_protocol_may_have_is_refused(small: Path, name: str) -> None:
    before = sorted(small.parent.rglob("*"))
    with pytest.raises(CommandError, match=r"Choose another name|is no name"):
        said("new", name)
    assert sorted(small.parent.rglob("*")) == before


@pytest.mark.parametrize("does", ["check", "words", "diff", "golden", "counts"])
def test_a_protocol_that_is_not_there_is_named(small: Path, does: str) -> None:
    with pytest.raises(CommandError, match=r"There is no protocol “smal”\. There is: small"):
        said(does, "smal")


@pytest.mark.parametrize("does", ["check", "words", "diff", "golden", "counts"])
def test_a_slip_is_one_sentence_for_every_command(small: Path, does: str) -> None:
    line = slip(small, "rules.yaml", "version: 0.1.0", "version: 'a slip")
    with pytest.raises(CommandError, match=f"rules.yaml, line {line}: a text begins with a quote"):
        said(does, "small")


def test_check_counts_what_is_to_mend_and_tells_each_with_its_line(small: Path) -> None:
    slip(small, "questionnaire.yaml", "  age: age_years\n", "  age: age\n")
    slip(
        small,
        "rules.yaml",
        "example_since, op: eq, value: longer",
        "example_since, op: eq, value: x",
    )
    out = StringIO()
    with pytest.raises(CommandError, match="2 to mend"):
        call_command("protocol", "check", "small", stdout=out, stderr=out)
    assert len(re.findall(r"\.yaml, line \d+, ", out.getvalue())) == 2


def test_check_reads_translations_that_no_clinic_offers(small: Path) -> None:
    (small / "es.yaml").write_text(
        "language: es\ntranslates: ''\nsections: {}\nquestions: {}\nlevels: {}\nrules: {}\n"
    )
    with pytest.raises(CommandError, match="to mend"):
        said("check", "small")


def test_check_says_what_is_still_to_do(small: Path) -> None:
    slip(small, "golden.csv", "longer,routine,X01", "longer,soon,X01")
    text = said("check", "small")
    assert "1 cases are judged otherwise" in text
    assert "Nobody has signed it" in text


# --- golden -------------------------------------------------------------------------------------


def test_golden_shows_which_cases_are_judged_otherwise_and_writes_them(small: Path) -> None:
    slip(small, "rules.yaml", "- id: X01\n  level: routine", "- id: X01\n  level: soon")
    text = said("golden", "small")
    assert "X01-1, The example: a problem for longer: routine (X01) → soon (X01)" in text
    assert "1 changed" in text
    assert "0 changed" in said("golden", "small")


def test_golden_fills_in_a_new_case_and_names_rules_without_one(small: Path) -> None:
    slip(small, "golden.csv", "X01-1,The example: a problem for longer,", "X01-1,Changed,")
    slip(small, "golden.csv", "example_since=longer,routine,X01,", "example_since=weeks,,,")
    text = said("golden", "small")
    assert "X01-1, Changed: not judged → routine (R01)" in text
    assert "No case shows X01" in text


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("example_since=longer", "example_since=long", "“example_since=long”"),
        ("example_since=longer", "example=longer", "there is no question “example”"),
        ("The example: a", "The example, a", "a row has six cells"),
    ],
)
def test_a_wrong_case_is_told_with_its_line(small: Path, old: str, new: str, told: str) -> None:
    line = slip(small, "golden.csv", old, new)
    with pytest.raises(CommandError, match=f"golden.csv, line {line}: .*{told}"):
        said("golden", "small")


# --- counts -------------------------------------------------------------------------------------


def test_counts_are_written_and_check_says_when_they_are_old(small: Path) -> None:
    readme = small / "README.md"
    assert "README.md" not in said("check", "small")
    slip(small, "README.md", "cases of its own", "cases")
    before = readme.read_text()
    assert "README.md counts otherwise: manage.py protocol counts small" in said("check", "small")
    assert "Wrote the counts" in said("counts", "small")
    assert readme.read_text() == before.replace(" cases and", " cases of its own and")
    assert "README.md" not in said("check", "small")


@pytest.mark.parametrize("text", [None, "# small\n", f"{counts.BEGIN}\n{counts.END}\n" * 2])
def test_a_readme_without_a_place_for_the_counts_is_named(small: Path, text: str | None) -> None:
    (small / "README.md").unlink()
    if text is not None:
        (small / "README.md").write_text(text)
    for does in ("counts", "check"):
        with pytest.raises(CommandError, match=r"README\.md: (the file is missing|write “<!--)"):
            said(does, "small")


# --- words --------------------------------------------------------------------------------------


class Text(HTMLParser):
    """The text of a page as a person sees it, in one line."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found = ""
        self.feed(html)

    def handle_data(self, data: str) -> None:
        self.found += data


def texts(data: Any) -> Iterator[str]:
    """Yield every text in a protocol's data, except conditions and the parts of computed values."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            if key not in (
                "grammar",
                "when",
                "show_if",
                "count",
                "first",
                "sum",
                "only_if",
                "parts",
            ):
                yield from texts(value)
    elif isinstance(data, list | tuple):
        for item in data:
            yield from texts(item)


def test_the_page_says_everything_that_the_protocol_says(
    tmp_path: Path, protocol: Protocol
) -> None:
    said("words", "legs", "--to", str(tmp_path / "legs.html"))
    shown = " ".join(Text((tmp_path / "legs.html").read_text(encoding="utf-8")).found.split())
    data = msgspec.json.decode(protocol.document())
    missing = {text for text in texts(data) if " ".join(text.split()) not in shown}
    assert missing == set()
    assert "“Does the need start, or get worse" in shown
    assert "Nobody has signed this version." in shown


def test_the_page_is_html_that_holds_itself(small: Path) -> None:
    slip(small, "questionnaire.yaml", "A few weeks", "<b>A few</b> & more")
    said("words", "small")
    html = (small.parent / "small.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;A few&lt;/b&gt; &amp; more" in html
    assert not re.search(r'(src|href)="(?!#)', html), "it needs no server"


# --- diff ---------------------------------------------------------------------------------------


def test_a_change_is_told_in_words(small: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    older = copied(tmp_path_factory.mktemp("older"))
    assert said("diff", "small", str(older)).strip() == "No difference."
    slip(small, "rules.yaml", "- id: X01\n  level: routine", "- id: X01\n  level: soon")
    slip(small, "questionnaire.yaml", "label: A few days}", "label: Less than a week}")
    text = said("diff", "small", str(older))
    assert "Rule X01 “a problem for longer”:" in text
    assert "Level (raised)\n    was: routine\n    now: soon" in text
    assert "was: A few days\n    now: Less than a week" in text


def test_the_older_version_may_be_a_stored_document(small: Path) -> None:
    document = small.parent / "older.json"
    document.write_bytes(protocols.load("small").document())
    assert said("diff", "small", str(document)).strip() == "No difference."
    slip(small, "rules.yaml", "- id: X01\n  level: routine", "- id: X01\n  level: soon")
    assert "Level (raised)" in said("diff", "small", str(document))
    document.write_text("no JSON")
    with pytest.raises(CommandError, match="is no stored protocol"):
        said("diff", "small", str(document))


def test_the_older_version_may_be_a_commit(protocol: Protocol) -> None:
    with pytest.raises(CommandError, match="“nothing” is no folder, no file"):
        said("diff", "legs", "nothing")


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    items = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def changed(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[path[0]] = changed(data[path[0]], path[1:], value)
    return copy


# The keys of these mappings are names that an author chose, not fields.
NAMED_BY_AUTHORS = {"concepts", "roles", "computed", "grammar"}


def kind_of_place(document: Any, path: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """Return a key that is equal for all places that the same code compares.

    The key has the fields and the operators on the path, and the type of the value.
    """
    kind: list[Any] = [type(value)]
    part, before = document, None
    for step in path:
        kind.append("…" if isinstance(step, int) or before in NAMED_BY_AUTHORS else step)
        if isinstance(part, dict):
            kind.append(part.get("op"))
        part, before = part[step], step
    return tuple(kind)


def test_no_change_of_the_content_goes_untold(small: Path) -> None:
    """Change one value of each kind of place at a time. Each difference is reported.

    The document has 2,900 values in 100 kinds of places. One comparison takes 40 ms.
    """
    old = protocols.load("small")
    document = msgspec.json.decode(old.document())
    assert differences(old, from_document(old.document())) == []
    kinds: dict[tuple[Any, ...], list[tuple[tuple[Any, ...], Any]]] = {}
    for path, value in leaves(document):
        kinds.setdefault(kind_of_place(document, path, value), []).append((path, value))
    drawn = [
        leaf
        for alike in kinds.values()
        for leaf in random.Random(1).sample(alike, min(len(alike), examples(2)))
    ]
    tried = 0
    for path, value in drawn:
        other = {str: f"{value} x", bool: not value, int: value}.get(type(value), value)
        if type(value) is int:
            other = value + 1
        try:
            new = from_document(msgspec.json.encode(changed(document, path, other)))
        except (msgspec.ValidationError, ValueError):
            continue  # the changed value makes the protocol invalid
        if new.content_hash == old.content_hash:
            continue
        tried += 1
        found = differences(old, new)
        assert found, path
        assert "in another way" not in found[0], path
    assert tried > 70


def test_order_and_levels_are_told(protocol: Protocol) -> None:
    lowered = with_rule(protocol, "S01", level="soon")
    assert any("(LOWERED)" in found for found in differences(protocol, lowered))
    later = with_level(protocol, "soon", contact_within=protocol.level("routine").contact_within)
    assert any("42 days" in found and "84 days" in found for found in differences(protocol, later))
    first, *rest = protocol.rules.rules
    moved = with_rules(protocol, (*rest, first))
    assert any("now comes after" in found for found in differences(protocol, moved))
    gone = with_questions(protocol, lambda qs: tuple(q for q in qs if q.id != "leg_side"))
    (told,) = differences(protocol, gone)
    assert told.startswith("Gone: Question leg_side “Which leg?”")
    options = protocol.question("leg_side").options
    turned = with_question(protocol, "leg_side", options=options[::-1])
    (told,) = differences(protocol, turned)
    assert "option neither, option both, option right, option left" in told


def test_a_new_signature_is_needed(small: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    older = copied(tmp_path_factory.mktemp("older"))
    hash = protocols.load("small").content_hash
    (older / "approval.yaml").write_text(
        f"approved_by: A fictitious reviewer\napproved_on: 2000-01-01\ncontent_hash: '{hash}'\n"
    )
    slip(small, "rules.yaml", "- id: X01\n  level: routine", "- id: X01\n  level: soon")
    assert "this one needs a new signature" in said("diff", "small", str(older))


def test_the_table_of_the_template_is_as_the_rules_judge(small: Path) -> None:
    protocol = protocols.load("small")
    for table in golden.tables_of(protocol):
        assert golden.judged(protocol, table) == golden.read(table.path)
    assert golden.unshown(protocol, golden.all_cases(protocol)) == []
