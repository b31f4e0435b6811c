"""A rubric, the rows of an answer to it, and that answer in every form that models write."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

from lib.assessment import LABELS, Rubric

HEADER = ("Key Concept", "Observations", "Evidence", "Label", "Reason")
CONCEPTS = ("Position - Shapes", "Modularity, in “Parts”", "Loops")
RUBRIC_TEXT = "Key Concept,Extensive Evidence,Convincing Evidence,Limited Evidence,No Evidence\n" + "".join(
    f'"{concept}",all of it,most of it,some of it,nothing\n' for concept in CONCEPTS
)
RUBRIC = Rubric.parse(RUBRIC_TEXT)
ROWS = (
    (CONCEPTS[0], "Two shapes, both placed", "Lines 1-2: `rect(1, 2)`", "Limited Evidence", "Some | of it"),
    (CONCEPTS[1], "No function", "Line 3: draw", "No Evidence", "Nothing, really"),
    (CONCEPTS[2], "A loop that runs", "Lines 4-9: for", "Extensive Evidence", "All of it"),
)
GIVEN = {row[0]: row[3] for row in ROWS}
Rows = Sequence[Sequence[str]]


def labels(*given: str) -> list[tuple[str, ...]]:
    """The rows with these labels."""
    return [(*row[:3], label, row[4]) for row, label in zip(ROWS, given, strict=True)]


def as_json(rows: Rows = ROWS, header: Sequence[str] = HEADER) -> str:
    """An array of objects."""
    return json.dumps([dict(zip(header, row, strict=True)) for row in rows], ensure_ascii=False, indent=1)


def as_table(delimiter: str, rows: Rows = ROWS, header: Sequence[str] = HEADER, *, quoted: bool = False) -> str:
    """Lines with a delimiter, quotes where csv needs them or everywhere."""
    file = io.StringIO()
    style = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(file, delimiter=delimiter, quoting=style, lineterminator="\n").writerows([header, *rows])
    return file.getvalue()


def as_tsv(rows: Rows = ROWS, header: Sequence[str] = HEADER) -> str:
    """Lines with tabs, without quotes."""
    return "".join("\t".join(row) + "\n" for row in [header, *rows])


def as_markdown(rows: Rows = ROWS, header: Sequence[str] = HEADER, *, outer: bool = True) -> str:
    """Lines with pipes."""
    lines = [[cell.replace("|", "\\|") for cell in row] for row in [header, ["---"] * len(header), *rows]]
    return "".join(f"| {' | '.join(row)} |\n" if outer else f"{' | '.join(row)}\n" for row in lines)


FORMS = {
    "json": as_json(),
    "json-one-line": as_json().replace("\n", ""),
    "json-in-fences": f"Here you are:\n```json\n{as_json()}\n```\nAsk, if you like, for more, or less, any time.",
    "json-after-prose": f"I looked at [all] of it, [1] to [9].\n\n{as_json()}",
    "json-lines": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in json.loads(as_json())),
    "json-last-comma": as_json().replace("}\n]", "},\n]"),
    "json-no-last-bracket": as_json()[:-1],
    "json-with-comments": as_json().replace("{", "// the next one\n{"),
    "json-in-an-object": json.dumps({"data": json.loads(as_json())}),
    "json-line-ends-in-strings": as_json().replace("both placed", "both\nplaced\t"),
    "json-grade": as_json().replace('"Label"', '"Grade"'),
    "json-more-keys": as_json().replace('"Label"', '"Confidence": 0.9, "": null, "Label"'),
    "json-padded-keys": as_json().replace('"Label"', '" label "'),
    "tsv": as_tsv(),
    "tsv-crlf": as_tsv().replace("\n", "\r\n"),
    "tsv-escaped": as_tsv().replace("\t", "\\t"),
    "tsv-escaped-rows": as_tsv().replace("\t", "\\t").replace(r"\tLabel", "\\tLabel"),
    "tsv-doubled-tabs": as_tsv().replace("\t", "\t\t"),
    "tsv-quoted": as_table("\t", quoted=True),
    "tsv-in-fences": f"```tsv\n{as_tsv()}```",
    "tsv-with-prose": f"I looked at it, line by line.\n\n{as_tsv()}\nAll in all, well done, I think, so far.",
    "tsv-blank-lines": as_tsv().replace("\n", "\n\n"),
    "tsv-padded-header": as_tsv(header=[f" {name}  " for name in HEADER]),
    "tsv-dashes": as_tsv([ROWS[0], ["---"] * 5, ROWS[1], ["-----", "", "", "", ""], ["==="] * 5, ROWS[2]]),
    "tsv-no-last-cell": as_tsv([*ROWS[:2], ROWS[2][:4]]),
    "tsv-trailing-tabs": as_tsv().replace("\n", "\t\t\n"),
    "tsv-other-order": as_tsv([ROWS[2], ROWS[0], ROWS[1]]),
    "tsv-other-columns": as_tsv([[*row, "extra"] for row in ROWS], [*HEADER, "Notes"]),
    "csv": as_table(","),
    "csv-quoted": as_table(",", quoted=True),
    "csv-line-ends": as_table(",", quoted=True).replace("No function", "No\nfunction, at\n\nall"),
    "csv-after-prose": "I read it, line by line, and, well, here it is:\n\n" + as_table(","),
    "csv-in-fences": f"```csv\n{as_table(',')}```",
    "csv-then-prose": as_table(",") + "\nSo, in the end, and, all in all, fine.\n",
    "markdown": as_markdown(),
    "markdown-no-outer-pipes": as_markdown(outer=False),
    "markdown-aligned": as_markdown().replace("---", ":--:"),
    "markdown-bold": as_markdown().replace("Loops", "**Loops**").replace("No Evidence", "**No Evidence**"),
    "markdown-in-fences": f"```\n{as_markdown()}```",
    "markdown-with-prose": f"# Result\n\n{as_markdown()}\nThat | is | all | there | is",
    "straight-quotes": as_json().replace("“Parts”", '\\"Parts\\"'),
    "labels-in-small-letters": as_tsv().replace("Limited Evidence", "limited evidence"),
    "labels-padded": as_tsv().replace("Limited Evidence", '  "Limited Evidence" '),
    "the-same-twice": f"{as_tsv()}\n\nOnce more as JSON:\n{as_json()}",
}
assert set(GIVEN.values()) <= set(LABELS)
