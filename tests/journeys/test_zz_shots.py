"""Scratch: pages at 360 and 1280, light and dark."""
import os, pytest
from datetime import timedelta
from django.utils import timezone
from intake.models import Draft
from tests.journeys.conftest import *  # noqa
pytestmark = pytest.mark.journey
OUT='/tmp/w/h7_png'; os.makedirs(OUT, exist_ok=True)
def shots(w, name):
    for width in (360, 1280):
        w.page.set_viewport_size({"width": width, "height": 740})
        for scheme in ("light","dark"):
            w.page.emulate_media(color_scheme=scheme)
            w.page.screenshot(path=f"{OUT}/{name}-{width}-{scheme}.png", full_page=True)
    print(name, w.violations(), w.sideways(320))
@pytest.mark.parametrize("prefix", ["", "/es"])
def test_shots(window, prefix):
    w = window(width=360, java_script_enabled=True)
    n = "es-" if prefix else ""
    w.open(f"{prefix}/intake/"); shots(w, n+"start")
    w.page.locator("button[value=mine]").click()
    def go(step):
        for _ in range(50):
            if w.step == step: return
            w.fill({**SAYS, "reason_text":"It creeps.", "meds_list":"vitamin D"})
            w.page.locator("button[value=continue]").first.click()
    go("about"); shots(w, n+"about")
    w.open(f"{prefix}/intake/"); shots(w, n+"start-again")
    w.open(f"{prefix}/appointments/"); shots(w, n+"appt-again")
    w.open(f"{prefix}/intake/check/")
    go("check"); 
    Draft.objects.update(updated_at=timezone.now()-timedelta(minutes=31))
    for step in ("reason","meds","mood","contact"):
        w.open(f"{prefix}/intake/p/{step}/"); shots(w, n+"veil-"+step)
    w.open(f"{prefix}/intake/check/"); shots(w, n+"veil-check")
    w.open(f"{prefix}/intake/save/"); shots(w, n+"veil-save")
    w.page.locator("button[value=save]").click(); shots(w, n+"saved")
    Draft.objects.update(updated_at=timezone.now()-timedelta(hours=25))
    w.open(f"{prefix}/intake/check/"); shots(w, n+"lost-saved")
    Draft.objects.update(reference=None)
    w.open(f"{prefix}/intake/check/"); shots(w, n+"lost")
