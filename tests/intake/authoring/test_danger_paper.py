"""The paragraph "A word of danger" of docs/protocol-authoring.md, followed to the letter."""

import re
import shutil
from pathlib import Path

from django.conf import settings

from intake.domain.triage import rule_for_text
from intake.protocols import HERE, from_folder
from intake.protocols.faults import of_protocol

PAPER = (Path(settings.BASE_DIR) / "docs/protocol-authoring.md").read_text(encoding="utf-8")
PARAGRAPH = PAPER.partition("**A word of danger.**")[2].partition("**An alarm pattern.**")[0]


def test_a_nurse_adds_a_word_and_it_is_heard(tmp_path: Path) -> None:
    sentence = re.search(r"wrote\s+`([^`]+)`", PARAGRAPH)
    lines = re.search(r"```yaml\n(.*?)```", PARAGRAPH, re.DOTALL)
    assert sentence is not None
    assert lines is not None
    for name in ("shared", "legs"):
        shutil.copytree(HERE / name, tmp_path / name)
    folder = tmp_path / "legs"
    assert rule_for_text(from_folder(folder), sentence[1]) is None

    with (folder / "danger.yaml").open("a", encoding="utf-8") as file:
        file.write(lines[1])
    protocol = from_folder(folder)
    rule = rule_for_text(protocol, sentence[1])
    assert rule is not None
    assert rule.level == "emergency"
    assert of_protocol(protocol, folder) == []
