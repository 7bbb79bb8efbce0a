"""Follow docs/protocol-authoring.md to the letter, step by step, in a fresh copy of the program.

Every command and every text to write is read from that file, so the file cannot become wrong
unnoticed.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings

from intake import protocols
from intake.domain.levels import RANKS
from intake.models.submissions import Submission
from tests.builders import ORDINARY
from tests.intake import second
from tests.intake.patient import CONTACT, Patient, born

ROOT = Path(settings.BASE_DIR)
PAPER = (ROOT / "docs/protocol-authoring.md").read_text(encoding="utf-8")
WALK = PAPER.partition("## A small protocol from nothing\n")[2].partition("\n## ")[0]

_WRITE = re.compile(
    r"^In `(?P<file>[^`]+)`, put (?:these lines|this line) "
    r"in the place of the \w+ `(?P<name>[^`]+)`:\n\n```\w+\n(?P<text>.*?)```$",
    re.MULTILINE | re.DOTALL,
)
_COMMAND = re.compile(r"^    (?P<command>\S.*)$", re.MULTILINE)


class Step(NamedTuple):
    """A command to run, or a text that replaces a part of a file."""

    command: str = ""
    file: str = ""
    place: str = ""
    text: str = ""


def steps() -> Iterator[Step]:
    writing = list(_WRITE.finditer(WALK))
    inside = [range(found.start(), found.end()) for found in writing]
    commands = [
        found
        for found in _COMMAND.finditer(WALK)
        if not any(found.start() in text for text in inside)
    ]
    for found in sorted([*writing, *commands], key=lambda found: found.start()):
        if found.re is _COMMAND:
            yield Step(command=found["command"])
        else:
            yield Step(file=found["file"], place=found["name"], text=found["text"])


def test_every_block_of_the_walk_is_understood() -> None:
    """Make sure that `steps` finds every block of code in docs/protocol-authoring.md."""
    assert len(_WRITE.findall(WALK)) == WALK.count("```") // 2 == 7
    assert len([step for step in steps() if step.command]) >= 10


def replaced(text: str, place: str, new: str) -> str:
    """Return a file's text in which `new` replaces the item or line that begins with `place`."""
    item = re.compile(rf"^- id: {re.escape(place)}\n(?:(?!- ).*\n)*", re.MULTILINE)
    line = re.compile(rf"^ *{re.escape(place)}.*\n", re.MULTILINE)
    pattern = item if item.search(text) else line
    assert len(pattern.findall(text)) == 1, place
    after = "\n" if pattern.search(text)[0].endswith("\n\n") else ""  # type: ignore[index]
    return pattern.sub(lambda _: new + after, text)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program as it is in git, in which `make setup` ran."""
    copy = tmp_path_factory.mktemp("clone")
    listed = run("git ls-files -co --exclude-standard", ROOT).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file() and not name.startswith(("tests/", ".venv", "node_modules")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    (copy / ".venv").symlink_to((ROOT / ".venv").resolve())
    shutil.copy(ROOT / ".env.example", copy / ".env")
    run("git init -q && git add -A && git commit -qm First", copy)
    return copy


def run(command: str, where: Path) -> subprocess.CompletedProcess[str]:
    person = {
        f"GIT_{who}_{what}": "nurse"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    # no command here needs a database, so the address leads to none
    away = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    return subprocess.run(
        ["bash", "-c", command],
        cwd=where,
        env=kept | person | away,
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.fixture(scope="module")
def said(clone: Path) -> dict[str, str]:
    """Do every step of docs/protocol-authoring.md in the copy. Returns each command's output."""
    folder = clone / "intake/protocols/cramps"
    said: dict[str, str] = {}
    for step in steps():
        if step.command:
            done = run(step.command, clone)
            assert done.returncode == 0, f"{step.command}\n{done.stdout}{done.stderr}"
            said[step.command.partition("manage.py ")[2]] = done.stdout
            continue
        path = clone / step.file if "/" in step.file else folder / step.file
        text = path.read_text(encoding="utf-8")
        path.write_text(replaced(text, step.place, step.text), encoding="utf-8")
    return said


def test_the_walk_makes_a_protocol_of_five_questions_and_three_rules(
    clone: Path, said: dict[str, str]
) -> None:
    assert "No fault" in said["protocol check cramps"]
    assert "No case shows" not in said["protocol check cramps"]
    golden = said["protocol golden cramps"]
    for case in ("C01-1.*same_day", "C02-1.*soon", "C02-3.*routine .R01.", "C03-1.*routine .C03."):
        assert re.search(case, golden), golden
    diff = said["protocol diff cramps"]
    assert "Gone: Question example_since" in diff
    assert len(re.findall(r"^New: Question", diff, re.MULTILINE)) == 5
    assert len(re.findall(r"^New: Rule", diff, re.MULTILINE)) == 3
    page = (clone / "cramps.html").read_text(encoding="utf-8")
    for text in ("Do you take quinine for your cramps?", "Am Fam Physician 86(4):350-355"):
        assert text in page
    assert run("git status --porcelain intake", clone).stdout == "", "everything is committed"


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], None]]:
    """Return a function that serves the protocols of another folder, as after a new start."""

    def serve(folder: Path) -> None:
        monkeypatch.setattr(protocols, "HERE", folder)
        second.start_anew()

    yield serve
    monkeypatch.undo()
    second.start_anew()


@pytest.mark.django_db
@pytest.mark.usefixtures("said")
def test_patients_answer_it_to_the_receipt(clone: Path, serving: Callable[[Path], None]) -> None:
    serving(clone / "intake/protocols")
    assert [protocol.name for protocol in protocols.served()] == ["cramps"]
    says = {"cramp_place": ("calf",), "cramp_nights": "most", "cramp_swelling": "no"}
    patient = Patient(**{**ORDINARY, **CONTACT, **born(44), **says, "cramp_quinine": "yes"})
    assert patient.whole_journey().path == "/intake/sent/"
    submission = Submission.objects.get()
    assert submission.urgency == RANKS["soon"]
    assert [rule.id for rule in submission.result.fired] == ["C02", "C03"]
