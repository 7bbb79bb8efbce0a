"""Write cells that a spreadsheet program takes as text, never as a formula."""

import csv
import io
from collections.abc import Iterable

# what spreadsheet programs take for the beginning of a formula, also in full width
_FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


def inert(cell: object) -> str:
    """Return a cell as text. A text that looks like a formula gets an apostrophe in front."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text


def line(cells: Iterable[object]) -> str:
    """Return one line of a CSV file, with inert cells."""
    out = io.StringIO()
    csv.writer(out).writerow([inert(cell) for cell in cells])
    return out.getvalue()
