"""What synthetic patients are made of: invented names, and the stories of a protocol.

Phone numbers have a real area code, then 555-01xx, which belongs to no subscriber.
"""

from functools import cache
from typing import Any

import msgspec

from intake import protocols
from intake.models.submissions import Kind
from intake.protocols.files import decode

FIRST = """
    Amara Ana Beatriz Bram Carlos Chloe Daniel Dolores Elif Emeka Fatima Femi George Grace Hana
    Henrik Ines Isaac Jamila João José Kofi Lena Linh Lucía Malik Maria Mei Miriam Noah Nora
    Omar Olga Patrick Priya Quinn Rafael Ruth Sam Siobhán Sofia Tomás Uma Vera Wen Ximena Yara
    Zoë
""".split()
LAST = """
    Abara Anderson Baptiste Begum Castillo Chen Dlamini Dubois Eriksen Fernández Flores García
    Goldberg Haddad Hansen Ibrahim Ivanova Jackson Kaplan Kim Kowalska Lopez MacLeod Martínez
    Mbeki Nakamura Nguyen O’Brien Okafor Park Patel Quist Ramírez Rossi Silva Singh Smith Tanaka
    Torres Ueda Varga Walker Washington Xu Yilmaz Young Zamora Zhang
""".split()
AREAS = ("202", "212", "305", "312", "404", "415", "512", "602", "617", "713", "702", "206")


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of patient: how often such patients occur, their ages, and their typical answers."""

    name: str
    weight: float
    ages: tuple[int, int] = (19, 88)
    answers: dict[str, Any] = {}
    kind: str = str(Kind.INTAKE)
    # an emergency answer that the patient gave first and then took back
    retracted: dict[str, Any] = {}


class Material(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The stories of one protocol, and chances for the answers that a story leaves out.

    `weights` has the weights of the options of each single choice, `chances` the chance of each box
    of a multiple choice, `numbers` the lowest and the highest number of a number question, `texts`
    the texts that a patient may have written.
    """

    weights: dict[str, dict[str, float]]
    chances: dict[str, dict[str, float]]
    numbers: dict[str, tuple[float, float]]
    texts: dict[str, tuple[str, ...]]
    stories: tuple[Story, ...]
    # `manage.py protocol length` measures these people, and fills in what they type
    measured: tuple[dict[str, Any], ...] = ()
    typed: dict[str, Any] = {}


@cache
def material_of(name: str) -> Material:
    """Return the protocol's stories. The file is read once per process. Raises Unreadable."""
    return decode(protocols.stories(name), lambda data: msgspec.convert(data, Material))
