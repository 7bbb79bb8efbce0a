"""Run `python -m tests.bench.floor.fill`: store a thousand records, and sign an administrator in.

Prints the value of the session cookie.
"""

import os
import sys
from datetime import timedelta

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.floor.settings"
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from tests.bench.floor.models import Record  # noqa: E402

COUNT = 1000
user = get_user_model().objects.create_superuser("floor")
now = timezone.now()
Record.objects.bulk_create(
    Record(
        reference=f"R{number:08}",
        name=f"Quentin Canary {number}",
        email=f"patient{number}@example.org",
        phone=f"+1202555{number:04}",
        urgency=number % 3,
        status="closed" if number % 10 else "new",
        submitted_at=now - timedelta(minutes=number),
        assignee=user,
    )
    for number in range(COUNT)
)
with connection.cursor() as cursor:
    cursor.execute("vacuum (analyze)")
client = Client()
client.force_login(user)
sys.stdout.write(client.cookies["sessionid"].value)
