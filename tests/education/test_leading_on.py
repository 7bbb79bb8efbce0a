"""A page about a condition leads its reader to the protocol that asks about the condition."""

import msgspec
import pytest
from django.core.management import call_command
from django.test import Client

from education import checks
from intake import protocols
from intake.domain.definition import Protocol
from tests.intake import second
from tests.intake.patient import Page

pytestmark = pytest.mark.django_db
VEINS, LEGS = "/conditions/vein-disease/", "/conditions/restless-legs/iron/"
NEUTRAL = "/about/appointments/"


@pytest.fixture
def read(both_served):
    """Load the pages of the program, and read them by address."""
    call_command("load_pages", verbosity=0)
    return lambda address: Page(address, Client().get(address))


@pytest.mark.parametrize("prefix", ["", "/es"])
@pytest.mark.parametrize(
    ("address", "name"),
    [(VEINS, "veins/"), ("/conditions/clots/", "veins/"), (LEGS, "legs/"), (NEUTRAL, "")],
)
def test_a_page_leads_to_the_questions_and_the_request_that_fit(read, address, name, prefix):
    page = read(prefix + address)
    starts = (f"{prefix}/intake/", f"{prefix}/appointments/")
    offered = {href for href, _text in page.links if href.startswith(starts)}
    assert offered == {*starts, *(start + name for start in starts)}


def test_every_link_of_a_page_and_of_its_cards_leads_to_the_same_protocol(read):
    main = read(VEINS).html.partition("<main")[2].partition("</main>")[0]
    assert 'href="/appointments/veins/"' in main
    assert 'href="/appointments/"' not in main
    assert 'href="/intake/"' not in main


@pytest.mark.parametrize("served", [("legs",), ("veins",)])
def test_with_one_served_protocol_every_page_leads_to_it(both_served, read, served):
    second.serve(both_served, *served)
    for address in (VEINS, LEGS):
        page = read(address)
        (target,) = {href for href, text in page.links if text == "Answer the questions"}
        assert target in ("/intake/", f"/intake/{served[0]}/")
        assert f"/{served[0]}/" in Client().post(target, {"device": "mine"})["Location"]


# --- which protocol a page leads to --------------------------------------------------------------


def named(protocol: Protocol, *learn: str) -> Protocol:
    heads = msgspec.structs.replace(protocol.questionnaire, learn=learn)
    return msgspec.structs.replace(protocol, questionnaire=heads)


@pytest.mark.parametrize(
    ("of_legs", "of_veins", "leads_to"),
    [
        ((), (), None),
        (("clots",), (), "legs"),
        (("clots",), ("clots",), None),
        (("clots",), ("clots/overview",), "veins"),
        (("clots/overview",), ("clots/overview", "clots"), None),
        (("clots/other",), ("vein-disease",), None),
    ],
)
def test_a_named_page_wins_over_a_named_condition(monkeypatch, of_legs, of_veins, leads_to):
    both = (named(protocols.load("legs"), *of_legs), named(protocols.load("veins"), *of_veins))
    monkeypatch.setattr(protocols, "served", lambda: both)
    found = protocols.of_page("clots/overview")
    assert (found and found.name) == leads_to


def test_a_protocol_that_leads_from_a_missing_condition_is_found(monkeypatch):
    protocol = named(protocols.load("legs"), "elbows", "clots/nothing", "clots")
    monkeypatch.setattr(protocols, "named", lambda name: protocol)
    monkeypatch.setattr(protocols, "available", lambda: ("legs",))
    found = [message.msg for message in checks.problems_of_pages()]
    assert found == [
        "Protocol “legs”, learn: there is no page “elbows/overview”",
        "Protocol “legs”, learn: there is no page “clots/nothing”",
    ]
