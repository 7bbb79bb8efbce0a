"""The papers in docs/ match the code: the picture of the rooms, the words, the named files."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
WORDS = (ROOT / "docs/words.md").read_text(encoding="utf-8")
_PATH = re.compile(
    r"`((?:clinic|intake|education|templates|static|tests|docs|deploy)/[\w./-]*|\.ci/run)`"
)


def layers_of(container: str) -> list[set[str]]:
    """Return the layers that the contract declares for an app, from the top."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each.get("containers") == [container])
    return [set(layer.split(" | ")) for layer in layers]


def models_of(app: str) -> list[str]:
    return [model.__name__ for model in apps.get_app_config(app).get_models()]


def test_the_picture_shows_the_rooms_of_the_contract_in_its_order():
    picture = PAGE.split("```mermaid\n")[1].split("```")[0]
    boxes = dict(re.findall(r'(\w+)\["([^"]+)"\]', picture))
    arrows = [re.findall(r"\w+", line) for line in picture.splitlines() if "-->" in line]
    assert [name for line in arrows for name in line] == list(boxes), "one chain, as it is drawn"
    assert [set(words.split(" · ")) for words in boxes.values()] == layers_of("intake")


def test_each_room_has_its_line_in_the_same_order():
    table = PAGE.split("## The rooms of intake")[1].split("## ")[0]
    told = [
        room
        for line in table.splitlines()
        if line.startswith("| `")
        for room in re.findall(r"`(\w+)`", line.split(" | ")[0])
    ]
    rank = {room: place for place, layer in enumerate(layers_of("intake")) for room in layer}
    assert sorted(told) == sorted(rank)
    assert all(rank[above] <= rank[below] for above, below in pairwise(told))


@pytest.mark.parametrize(
    "paper", ["CONTRIBUTING.md", "README.md", "docs/architecture.md", "docs/words.md"]
)
def test_a_file_that_a_paper_names_is_there(paper):
    named = _PATH.findall((ROOT / paper).read_text(encoding="utf-8"))
    missing = sorted({path for path in named if not (ROOT / path).exists()})
    assert named
    assert not missing


def test_each_model_has_one_line_among_the_words():
    terms = WORDS.split("## Names that still")[0]
    told = re.findall(r"^\| `(\w+)` \|", terms, re.MULTILINE)
    ours = [model for app in ("clinic", "education", "intake") for model in models_of(app)]
    assert sorted(told) == sorted(ours)


def test_no_word_stands_twice():
    terms = WORDS.split("## Names that still")[0]
    words = [word for word in re.findall(r"^\| ([^|]+) \|", terms, re.MULTILINE) if word != "---"]
    again = {word for word in words if words.count(word) > 1} - {"word"}
    assert not again
