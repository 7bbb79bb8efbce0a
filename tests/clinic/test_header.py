"""The header and the title of each staff page say where one is."""

import re
from html import unescape

import pytest
from django.urls import reverse

from clinic.people.roles import ROLES
from clinic.templatetags.staff_pages import SECTIONS
from tests import builders
from tests.desk import page_of, waiting, words

pytestmark = pytest.mark.django_db


def header(page) -> dict[str, bool]:
    """Return the links of the header: words → whether the link is where one is."""
    nav = page.content.decode().partition('class="sections"')[2].partition("</nav>")[0]
    links = re.findall(r"<a href=\"[^\"]+\"( aria-current=\"page\")?>([^<]+)", nav)
    return {unescape(label).strip(): bool(here) for here, label in links}


def title(page) -> str:
    return unescape(re.search(r"<title>(.*?)</title>", page.content.decode(), re.S)[1])


@pytest.mark.parametrize("role", ROLES)
def test_each_list_of_each_role_is_marked_in_header_and_title(role):
    client, member = builders.staff_client(role), builders.member(role)
    mine = [section for section in SECTIONS if member.has_perm(section.right)]
    assert mine

    for section in mine:
        page = client.get(section.address)
        links = header(page)
        assert [label for label, here in links.items() if here] == [section.label]
        assert list(links) == [*(str(each.label) for each in mine), "Your account"]
        assert str(section.label) in title(page)


def test_a_record_says_in_which_section_it_is():
    submission = waiting("Quentin Canary")
    page = builders.staff_client("clinician").get(page_of(submission))

    assert title(page).startswith(f"{submission.reference} | Worklist | ")
    assert "Canary" not in title(page)
    assert header(page)["Worklist"]


def test_messages_are_the_patients_and_the_queue_is_the_mail_queue():
    client = builders.staff_client("clinician")
    queue = client.get(reverse("admin:clinic_message_changelist"))

    assert header(queue)["Mail queue"]
    assert not header(queue)["Messages"]
    assert "Mail queue" in words(queue)
    assert header(client.get("/admin/intake/submission/?tab=replied"))["Messages"]
