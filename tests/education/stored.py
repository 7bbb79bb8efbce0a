"""Addresses of pages that the page store keeps, and a function that requests a page."""

import pytest
from django.test import Client

KNEES = "/conditions/knees/creaking/"
KEPT = ["/", "/conditions/", "/conditions/knees/", KNEES, "/privacy/", "/accessibility/"]
COMMITTED = pytest.mark.django_db(transaction=True)


def html(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200, path
    return response.content.decode()
