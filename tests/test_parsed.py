"""The store of parsed YAML returns to tests what the program would parse."""

import pytest

from intake import protocols
from intake.protocols.files import Mapping, Unreadable
from tests import parsed

SHARED = protocols.HERE / "shared" / "safety" / "rules.yaml"


def places(data: object) -> list[object]:
    inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    own = [(data.place, data.places)] if hasattr(data, "places") else []
    return [*own, *(place for part in inner for place in places(part))]


@pytest.mark.parametrize("file", ["one/rules.yaml", "another/rules.yaml"])
def test_data_and_places_are_those_of_the_parser_under_the_name_of_the_file(file: str) -> None:
    text = SHARED.read_text(encoding="utf-8")
    stored, own = parsed.parse(text, file), parsed._parse(text, file)
    assert stored == own
    assert type(stored) is Mapping
    assert places(stored) == places(own)


def test_a_reader_may_change_the_data() -> None:
    parsed.parse("a: [1]", "file")["a"].append(2)
    assert parsed.parse("a: [1]", "file") == {"a": [1]}


def test_a_slip_is_told_each_time_with_the_file() -> None:
    for file in ("one", "another"):
        with pytest.raises(Unreadable, match=f"^{file}, line 1: "):
            parsed.parse("a: 'b", file)
