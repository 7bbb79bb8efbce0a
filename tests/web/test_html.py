"""The Nu HTML checker (npm: vnu-jar) reads every page and finds no error."""

import json
import subprocess

import pytest

from tests.web.conftest import ROOT, program

# `django_db` creates the test database; the fixture `pages` has requested all pages before
pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def test_the_nu_html_checker_finds_no_error(pages, tmp_path):
    program("java", "vnu-jar")
    assert len(pages) > 80
    for name, text in pages.items():
        (tmp_path / f"{name}.html").write_text(text, encoding="utf-8")

    jar = ROOT / "node_modules/vnu-jar/build/dist/vnu.jar"
    # Java's second compiler doubled the time of this short program, so the options turn it off
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xss4m"]
    done = subprocess.run(
        ["java", *quick, "-jar", jar, "--format", "json", "--skip-non-html", tmp_path],
        capture_output=True,
        timeout=300,
    )

    # errors and warnings count, also about style sheets; hints do not count
    found = [
        f"{message['url'].rpartition('/')[2]}:{message.get('lastLine')} {message['message']}"
        f" {message.get('extract', '')!r}"
        for message in json.loads(done.stderr)["messages"]
        if message["type"] == "error" or message.get("subType") == "warning"
    ]
    assert found == []
