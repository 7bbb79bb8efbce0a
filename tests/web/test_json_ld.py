"""The schema.org facts on the pages use only types, properties and values of the vocabulary.

schema-dts (npm, by Google) describes schema.org as types, and the TypeScript compiler checks the
facts without a network. The compiler finds an unknown type, a property that a type does not have,
and a value of a wrong kind. Search engines require more than that; the last test checks for it.
"""

import json
import re
import subprocess

import pytest

from tests.web.conftest import ROOT, program

pytestmark = [pytest.mark.slow, pytest.mark.django_db]
BLOCK = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)


def judged(folder, blocks: dict[str, str]) -> list[str]:
    """Return the compiler's errors about these blocks of JSON-LD."""
    program("node", "typescript", "schema-dts")
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    lines = ['import type { Graph, WithContext, Thing } from "schema-dts";']
    for n, (name, block) in enumerate(blocks.items()):
        kind = "Graph" if "@graph" in json.loads(block) else "WithContext<Thing>"
        told = json.dumps(json.loads(block))
        lines.append(f"export const block{n}: {kind} = {told}; // {name}")
    (folder / "facts.ts").write_text("\n".join(lines) + "\n")
    options = "--noEmit --strict --skipLibCheck --target es2022 --module nodenext".split()
    compiler = ROOT / "node_modules/typescript/bin/tsc"
    done = subprocess.run(
        ["node", compiler, *options, "facts.ts"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    said = done.stdout.splitlines()
    assert done.returncode == 0 or said, done.stderr
    return said


WRONG = {
    "type": '{"@context": "https://schema.org", "@type": "MedicalHouse", "name": "x"}',
    "property": '{"@context": "https://schema.org", "@type": "MedicalClinic", "telefone": "1"}',
    "value": '{"@context": "https://schema.org", "@type": "MedicalClinic",'
    ' "name": {"@type": "Person"}}',
}


@pytest.fixture(scope="module")
def said(pages, tmp_path_factory) -> dict[str, list[str]]:
    """The compiler's errors by block: first those of WRONG, then the blocks of the pages.

    All blocks are compiled together, because reading the vocabulary takes three seconds.
    """
    of_pages = {name: block for name, text in pages.items() for block in BLOCK.findall(text)}
    assert len(of_pages) > 20
    blocks = [*WRONG, *of_pages]
    found: dict[str, list[str]] = {name: [] for name in blocks}
    for line in judged(tmp_path_factory.mktemp("facts"), WRONG | of_pages):
        at = re.match(r"facts\.ts\((\d+),", line)
        assert at or line.startswith(" "), line  # a line that is indented explains the line before
        if at:
            found[blocks[int(at[1]) - 2]].append(line)  # the first line of the file is an import
    return found


def test_every_page_tells_facts_of_the_vocabulary(said):
    assert {name: lines for name, lines in said.items() if lines and name not in WRONG} == {}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_judge_finds_what_is_wrong(said, wrong):
    assert said[wrong]


def test_a_trail_has_what_search_engines_demand(pages):
    trails = 0
    for name, text in pages.items():
        for block in BLOCK.findall(text):
            for thing in json.loads(block).get("@graph", []):
                if thing["@type"] == "BreadcrumbList":
                    trails += 1
                    steps = thing["itemListElement"]
                    assert [step["position"] for step in steps] == [*range(1, len(steps) + 1)], name
                    assert all(step["name"] and step["item"].startswith("http") for step in steps)
    assert trails > 20
