"""A slip in a file of a protocol is reported in one sentence, which names the file and the line."""

import contextlib
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError, SystemCheckError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from intake import checks, protocols
from intake.demonstration import material
from intake.protocols import faults
from intake.protocols.files import Unreadable
from tests.examples import examples
from tests.intake.authoring.slips import TEMPLATE, copied, slip

QUESTIONS, RULES = "questionnaire.yaml", "rules.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path)


def told(folder: Path) -> list[str]:
    """Return the sentences that report the faults of the protocol in the folder."""
    try:
        protocol = protocols.from_folder(folder)
    except Unreadable as error:
        return [str(error)]
    return [str(fault) for fault in faults.of_protocol(protocol, folder)]


def test_the_template_has_no_fault(folder: Path) -> None:
    assert told(folder) == []


UNREADABLE = [
    (QUESTIONS, "    type: single\n", "\ttype: single\n", "a tab stands here: indent with spaces."),
    (QUESTIONS, "    type: single\n", "     type: single\n", "indent"),
    (QUESTIONS, "title: Safety check", "title: Safety: check", "a text with a colon needs quotes"),
    (QUESTIONS, "title: Safety check", "title: 'Safety check", "a quote that never ends"),
    (
        QUESTIONS,
        "complaint: [example_since]",
        "complaint: [example_since",
        "a bracket or brace is not closed",
    ),
    (QUESTIONS, "    type: single\n", "    type single\n", "is a colon missing"),
    (
        QUESTIONS,
        "    type: single\n",
        "    type: single\n    type: single\n",
        "“type” stands twice",
    ),
    (QUESTIONS, "    type: single\n", "    type: menu\n", "“type” cannot be 'menu'."),
    (QUESTIONS, "    required: true\n", "    requierd: true\n", "there is no key “requierd” here"),
    (QUESTIONS, "title: Safety check", "title: 'yes'\n  tilte: x", "there is no key “tilte” here"),
    (QUESTIONS, "{code: longer, label: Longer}", "{code: longer, label: no}", "in quotes"),
    (RULES, "level: routine\n  name", "level: 4\n  name", "“level” takes a text, not a whole"),
    (RULES, "{q: example_since, op: eq, value", "{q: example_since, value", "A condition"),
    (RULES, "always: {shared: always}", "always: {words: x}", "“words”"),
    (RULES, "- id: X01\n", "-id: X01\n", "a space is missing after - or :"),
]


@pytest.mark.parametrize(("file", "old", "new", "said"), UNREADABLE)
def test_a_slip_is_one_sentence_with_file_and_line(
    folder: Path, file: str, old: str, new: str, said: str
) -> None:
    line = slip(folder, file, old, new)
    (sentence,) = told(folder)
    place, _, words = sentence.partition(": ")
    assert said in words
    assert "\n" not in sentence
    assert "$" not in sentence
    name, _, found = place.rpartition(", line ")
    assert name == str(folder / file)
    # YAML notices where a value ends when the next value begins, so the reported line may be later
    assert int(found) - line in (0, 1, 2)


@pytest.mark.parametrize("file", [QUESTIONS, RULES, "approval.yaml"])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert told(folder) == [f"{folder / file}: the file is missing."]


def test_a_field_that_is_left_out_is_named(folder: Path) -> None:
    slip(folder, RULES, "  source: Write the guideline, its edition and its item.\n", "")
    (sentence,) = told(folder)
    line = (folder / RULES).read_text().split("- id: X01")[0].count("\n") + 1
    assert sentence.startswith(f"{folder / RULES}, line {line}: ")
    assert "“source”" in sentence


WRONG = [
    (QUESTIONS, "  age: age_years\n", "  age: age\n", "uses.age: There is no question “age”."),
    (
        RULES,
        "when: {q: example_since, op: eq, value: longer}",
        "when: {q: example_since, op: eq, value: long}",
        "rules.X01.when: “example_since” has no option “long”.",
    ),
    (
        RULES,
        "when: {q: example_since, op: eq, value: longer}",
        "when: {q: rls_urge, op: eq, value: 'yes'}",
        "rules.X01.when: There is no question “rls_urge”.",
    ),
    (
        RULES,
        "  always: {shared: always}",
        "  always: {text: 'true', when: {var: again, op: eq, value: true}}\n"
        "  again: {text: 'true', when: {var: always, op: eq, value: true}}",
        "computed.always: “always” is read to compute itself.",
    ),
    (RULES, "- {shared: soon}\n", "", "levels.soon: Declare the level “soon”"),
    (RULES, "Write for the patient one", "We will call you. Do one", "Move this to `promise`"),
    (QUESTIONS, "{code: days,", "{code: weeks,", "“weeks” is used 2 times"),
]


@pytest.mark.parametrize(("file", "old", "new", "said"), WRONG)
def test_what_types_cannot_find_has_its_line_too(
    folder: Path, file: str, old: str, new: str, said: str
) -> None:
    line = slip(folder, file, old, new)
    (sentence,) = [one for one in told(folder) if said in one]
    place = sentence.partition(": ")[0].rpartition(", ")[0]
    name, _, found = place.rpartition(", line ")
    assert name == str(folder / file)
    assert line - 8 <= int(found) <= line, "the line of the thing that the fault is in"


@pytest.mark.parametrize("file", [QUESTIONS, RULES])
def test_the_program_says_a_slip_and_never_shows_a_traceback(
    folder: Path, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slip(folder, file, "version: 0.1.0", "version: 'a slip")
    monkeypatch.setattr(protocols, "HERE", folder.parent)
    monkeypatch.setattr(protocols, "load", protocols.load.__wrapped__)
    monkeypatch.setattr(protocols, "served_names", lambda: ("small",))
    with pytest.raises(SystemCheckError, match=f"{file}, line"):
        call_command("check", tags=["protocol"])
    # this check may find that the protocol does not name all pages, but it must end normally
    with contextlib.suppress(SystemCheckError):
        call_command("check", tags=["pages"])


LETTERS = st.sampled_from([*":-[]{}'\"#&*!|>%@`,? \n\tx7", "- ", ": ", "  ", "yes", "''", "é"])


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    file=st.sampled_from([QUESTIONS, RULES]),
    where=st.floats(0, 1),
    cut=st.integers(0, 6),
    put=LETTERS,
)
@example(file=QUESTIONS, where=0, cut=1, put="?")
def test_no_slip_of_the_pen_is_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, file: str, where: float, cut: int, put: str
) -> None:
    folder = copied(tmp_path_factory.mktemp("slips"))
    text = (TEMPLATE / file).read_text(encoding="utf-8")
    at = int(where * len(text))
    (folder / file).write_text(text[:at] + put + text[at + cut :], encoding="utf-8")
    for sentence in told(folder):
        assert "\n" not in sentence.strip()
        assert str(folder.parent) in sentence


@settings(max_examples=examples(12), deadline=None)
@given(data=st.data())
def test_nor_is_a_line_that_is_lost(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = copied(tmp_path_factory.mktemp("lines"))
    file = data.draw(st.sampled_from([QUESTIONS, RULES]))
    lines = (folder / file).read_text(encoding="utf-8").splitlines(keepends=True)
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    (folder / file).write_text("".join(lines), encoding="utf-8")
    for sentence in told(folder):
        assert str(folder.parent) in sentence


FILES = [
    *("shared/safety/questionnaire.yaml", "shared/safety/rules.yaml", "shared/safety/es.yaml"),
    *("shared/safety/danger.yaml", "small/danger.yaml"),
    *("small/questionnaire.yaml", "small/rules.yaml", "small/approval.yaml", "small/es.yaml"),
    *("small/stories.yaml", "small/golden.csv", "small/README.md"),
]
CONTENTS = [
    "",
    "hello\n",
    "- a\n- b\n",
    "a: 1\n",
    "questions: [{a: 1}]\nrules: [{id: 4}]\n",
    "questions: 3\nrules: [4]\nlevels: {a: b}\nsummary: [x]\n",
    None,
]


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("file", FILES)
def test_no_file_with_another_content_is_a_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch, file: str, content: str | None
) -> None:
    """Each command reports the fault in one sentence that names the file or the missing thing."""
    shipped = (TEMPLATE.parents[1] / "protocols/veins/es.yaml").read_text(encoding="utf-8")
    (folder / "es.yaml").write_text(shipped, encoding="utf-8")
    path = folder.parent / file
    if content is None:
        path.unlink()
    else:
        path.write_text(content, encoding="utf-8")
    monkeypatch.setattr(protocols, "HERE", folder.parent)
    for name in ("load", "translated"):
        monkeypatch.setattr(protocols, name, getattr(protocols, name).__wrapped__)
    monkeypatch.setattr(protocols, "served_names", lambda: ("small",))
    out = StringIO()
    for message in checks.protocol_problems():
        assert "\n" not in message.msg
        assert ".yaml" in message.msg
    with contextlib.suppress(CommandError):
        call_command("protocol", "check", "small", stdout=out, stderr=out)
    if file.endswith("stories.yaml"):
        with pytest.raises(Unreadable, match=re.escape(str(path))):
            material.material_of.__wrapped__("small")
