"""Open a CSV of cells that look like formulas in LibreOffice, and say whether each stayed a text.

Run by `make spreadsheet`. Without LibreOffice the program says "not checked" and ends well: the
property test in tests/intake/desk/test_export.py checks the cells without it.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from clinic import spreadsheets

NASTY = [
    *(f"{sign}1+1" for sign in "=+-@\t\r＝＋－＠"),
    *(f"{space}=1+1" for space in (" ", "\n", "\u00a0", "\ufeff")),
    '=HYPERLINK("http://example.org")',
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
]
FORMULA = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}formula"
TYPE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}value-type"
CELL = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}table-cell"
# comma, double quote, UTF-8, from line 1; the last "true" evaluates formulas: the worst case
READ_AS = "CSV:44,34,76,1,,0,false,true,false,false,false,-1,true"


def opened(office: str, lines: str) -> list[tuple[str, bool]]:
    """Open a CSV in LibreOffice. Returns the words of each cell, and whether it is a formula."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "export.csv"
        source.write_text("\ufeff" + lines, encoding="utf-8", newline="")
        command = [office, f"-env:UserInstallation=file://{folder}/profile", "--headless"]
        command += [f"--infilter={READ_AS}", "--convert-to", "fods", "--outdir", folder]
        subprocess.run([*command, str(source)], check=True, capture_output=True, timeout=300)
        tree = ElementTree.parse(source.with_suffix(".fods"))
    cells = [cell for cell in tree.iter(CELL) if cell.get(TYPE)]
    return [("".join(cell.itertext()), FORMULA in cell.attrib) for cell in cells]


def main() -> int:
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if not office:
        sys.stdout.write("Not checked: LibreOffice is not installed on this machine.\n")
        return 0
    bare = opened(office, "".join(f'"{text}"\r\n' for text in ("=1+1", "plain")))
    if not bare[0][1]:
        sys.stdout.write("Not checked: LibreOffice took a bare formula for a text.\n")
        return 1
    cells = opened(office, "".join(spreadsheets.line([text]) for text in NASTY))
    formulas = [words for words, is_formula in cells if is_formula]
    said = f"{len(cells)} cells were opened in LibreOffice; {len(formulas)} became a formula.\n"
    sys.stdout.write(said + "".join(f"  {words!r}\n" for words in formulas))
    return 1 if formulas or len(cells) != len(NASTY) else 0


if __name__ == "__main__":
    sys.exit(main())
