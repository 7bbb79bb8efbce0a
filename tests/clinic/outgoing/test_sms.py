"""Text messages: a setting names the function that sends them; a demonstration prints them."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from clinic.outgoing import sms, trouble

SENT: list[dict[str, str]] = []


def provider(**message: str) -> None:
    SENT.append(message)


def test_the_setting_names_the_function(settings):
    settings.SMS_BACKEND = f"{__name__}.provider"
    sms.send(to="+12025550123", text="Words", key="7")

    assert SENT == [{"to": "+12025550123", "text": "Words", "key": "7"}]


def test_a_laptop_prints_them(capsys):
    sms.send(to="+12025550123", text="Words", key="7")

    assert "Text message to +12025550123" in capsys.readouterr().out


def test_a_terminal_is_for_laptops_only(settings):
    settings.DEMO = False
    with pytest.raises(ImproperlyConfigured, match="DEMO"):
        sms.send(to="+12025550123", text="Words", key="7")


def test_without_a_provider_trying_again_is_of_no_use(settings):
    settings.SMS_BACKEND = ""
    with pytest.raises(sms.NumberRefused) as refused:
        sms.send(to="+12025550123", text="Words", key="7")

    assert trouble.code_of(refused.value) == ("sms refused", True)
