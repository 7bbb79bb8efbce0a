"""`manage.py demo`: make demonstration staff and patients. Works only with DEMO=on."""

import json
import secrets
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from intake import documents
from intake.demonstration import (
    bulk,
    chart,
    front_desk,
    invitations,
    letters,
    red_flags,
    texts,
    work,
)
from intake.demonstration import people as demo
from intake.demonstration.phone_calls import load_calls
from intake.models.chart import ChartDetails
from intake.models.clinic_time import Location
from intake.models.clinical_letters import ClinicalLetter
from intake.models.corrections import ContactCorrection
from intake.models.invitations import Invitation
from intake.models.phone_calls import PhoneCall
from intake.models.received_texts import ReceivedText
from intake.models.submissions import Submission
from intake.protocols import served
from intake.protocols.files import Unreadable

SIGN_INS = (("clinician", "dr-lee"), ("clinician", "dr-okafor"), ("front desk", "desk-maria"),
            ("content editor", "editor-sam"), ("auditor", "auditor-ito"),
            ("administrator", "admin-noor"))  # fmt: skip
# further roles of some of these accounts
ALSO = {"dr-lee": ["duty"]}
CALLED = "desk-maria"  # who enters the demonstration's calls
WRITES = "dr-lee"  # who writes the demonstration's letters
FILE = "demo-sign-ins.json"
AT_START = 80


class Command(BaseCommand):
    # no checks, so that without DEMO=on only this command's own error is shown
    requires_system_checks: list[str] = []
    help = "Make demonstration staff (--sign-ins) and synthetic submissions (--submissions N)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sign-ins", action="store_true", help="print the staff as JSON")
        parser.add_argument("--list", action="store_true", help="print the staff to read")
        parser.add_argument("--codes", action="store_true", help="print the six digits of now")
        parser.add_argument(
            "--once", action="store_true", help="fill an empty database, else nothing"
        )
        parser.add_argument("--submissions", type=int, metavar="N")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("demo works only with DEMO=on: it makes sign-ins that it prints.")
        people = staff()
        self._print(people, options)
        count = options["submissions"]
        if options["once"] and not Submission.objects.exists():
            count = AT_START
        if count is not None:
            if count < 0:
                raise CommandError("--submissions takes a number from 0 up.")
            try:
                made = load(count=count, seed=options["seed"])
            except Unreadable as error:
                raise CommandError(str(error)) from None
            if options["verbosity"]:
                self.stdout.write(f"{made} submissions made.")
        if options["once"] and not Location.objects.exists():
            bulk.load_book(clinicians=doctors())
            red_flags.load(clinicians=doctors())
            work.load(by=doctors()[0][1])
        desk = get_user_model().objects.filter(groups__name="front desk").first()
        if options["once"] and desk and not Invitation.objects.exists():
            invitations.load(by=desk)
        if options["once"] and desk and not ChartDetails.objects.exists():
            chart.load(by=desk)
        if options["once"] and desk and not ContactCorrection.objects.exists():
            front_desk.load(clinician=doctors()[0][1], desk=desk)
        if options["once"] and not PhoneCall.objects.exists():
            load_calls(get_user_model().objects.get(username=CALLED))
        if options["once"] and not ReceivedText.objects.exists():
            texts.load()
        if options["once"] and not ClinicalLetter.objects.exists():
            letters.load(by=get_user_model().objects.get(username=WRITES))

    def _print(self, people: list[dict[str, str]], options: dict[str, Any]) -> None:
        if options["sign_ins"]:
            self.stdout.write(json.dumps(people))
        for person in people if options["list"] else ():
            self.stdout.write(
                f"    {person['role']:15} {person['username']:12} {person['password']}"
            )
        for person in people if options["codes"] else ():
            self.stdout.write(f"    {person['username']:12} {code_of_now(person['totp_secret'])}")


def staff() -> list[dict[str, str]]:
    """Return the demonstration staff with passwords and TOTP secrets, made at the first use."""
    path = Path(settings.LOCAL_DIR) / FILE
    people = json.loads(path.read_text()) if path.exists() else []
    known = {person["username"] for person in people}
    people += [
        {
            "role": role,
            "username": username,
            "password": secrets.token_urlsafe(15),
            "totp_secret": "".join(
                secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(32)
            ),
        }
        for role, username in SIGN_INS
        if username not in known
    ]
    if not all("hash" in person for person in people):
        # the hash is stored with the password, because hashing at each start would take seconds
        people = [
            person if "hash" in person else person | {"hash": make_password(person["password"])}
            for person in people
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(people, indent=1))
    for person in people:
        _account(**{name: value for name, value in person.items() if name != "password"})
    return [{name: v for name, v in person.items() if name != "hash"} for person in people]


def doctors() -> list[tuple[str, Any]]:
    """Return the clinicians among the demonstration staff: name and account."""
    users = get_user_model().objects.filter(groups__name="clinician").order_by("username")
    return [(f"Dr. {user.first_name}", user) for user in users if user.first_name]


@transaction.atomic
def _account(*, role: str, username: str, hash: str, totp_secret: str) -> None:
    user, _new = get_user_model().objects.get_or_create(username=username)
    user.password = hash
    user.is_staff = user.is_active = True
    user.first_name = username.partition("-")[2].title()
    user.email = f"{username}@example.org"
    user.save()
    user.groups.set(Group.objects.filter(name__in=[role, *ALSO.get(username, [])]))
    stored = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
    if stored is None:
        TOTP.activate(user, totp_secret)


def code_of_now(secret: str) -> str:
    """Return the six digits that an authenticator app shows now."""
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(secret, counter)))


def load(*, count: int, seed: int, batch: int = 1000) -> int:
    """Make `count` synthetic submissions in bulk. Returns how many were made.

    Each served protocol gets the same number of submissions.
    """
    offered, now = served(), timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    clinician = get_user_model().objects.filter(groups__name="clinician").first()
    made = 0
    for place, protocol in enumerate(offered):
        documents.store_protocol(protocol)
        share = count // len(offered) + (place < count % len(offered))
        people = demo.patients(protocol, seed=seed, count=share, until=now)
        for some in _batches(people, batch):
            made += bulk.load(patients=some, now=now, clinician=clinician)
    return made


def _batches(people: Iterable[demo.Patient], size: int) -> Iterator[list[demo.Patient]]:
    people = iter(people)
    while some := list(islice(people, size)):
        yield some
