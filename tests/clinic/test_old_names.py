"""Rows that the release before stored with old module names still work."""

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY
from django_tasks_db.models import DBTaskResult

from clinic.outgoing import outbox
from tests import builders

pytestmark = pytest.mark.django_db


def test_a_session_that_was_open_before_the_upgrade_stays_open():
    client = builders.staff_client("clinician")
    session = client.session
    session[BACKEND_SESSION_KEY] = "clinic.staff.RoleBackend"
    session.save()

    assert client.get("/admin/intake/submission/").status_code == 200


def test_a_task_that_was_queued_before_the_upgrade_is_run(monkeypatch):
    looked = []
    monkeypatch.setattr(outbox, "deliver_due", lambda: looked.append(True))
    outbox.look.enqueue()
    DBTaskResult.objects.update(task_path="clinic.outbox.look")

    DBTaskResult.objects.get().task.call()

    assert looked == [True]
