"""A program without its comments."""

from __future__ import annotations

from lib.assessment.program.parse import parse, walk

COMMENTS = frozenset({"comment", "html_comment"})
NEWLINES = "\n\r\u2028\u2029"
NOTHING = "\ufeff\u200b\0"  # what is no white space to Python and yet no program


def is_blank(code: str) -> bool:
    """Whether nothing is there. Comments are something: take them out first where they should not count."""
    return all(letter.isspace() or letter in NOTHING for letter in code)


def without_comments(code: str) -> str:
    """The program with its comments cut out and every newline kept, so that each line keeps its number.

    A comment that alone keeps two words apart leaves a space.
    """
    if "/*" not in code and "//" not in code and "<!--" not in code and "-->" not in code:
        return code
    source = code.encode("utf-8", "surrogatepass")
    kept, end = [], 0
    for node, _ in walk(parse(code)):
        if node.type in COMMENTS:
            kept += [source[end : node.start_byte], _left(source, node.start_byte, node.end_byte)]
            end = node.end_byte
    return b"".join([*kept, source[end:]]).decode("utf-8", "surrogatepass")


def _left(source: bytes, start: int, end: int) -> bytes:
    """What stays of the comment from `start` to `end`."""
    comment = source[start:end].decode("utf-8", "surrogatepass")
    newlines = "".join(letter for letter in comment if letter in NEWLINES)
    before, after = source[max(start - 1, 0) : start], source[end : end + 1]
    apart = before.isspace() or after.isspace() or not before or not after
    return b" " if comment.startswith("/*") and not newlines and not apart else newlines.encode()
