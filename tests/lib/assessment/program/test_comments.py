"""Comments go, the rest and every line stay."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.assessment.program import is_blank, without_comments

PLAIN = [
    ("x = 1; // one", "x = 1; "),
    ("// all of it", ""),
    ("x = 1; /* one */ y = 2;", "x = 1;  y = 2;"),
    ("/* a\n b\n*/x", "\n\nx"),
    ("a // b\r\nc /* d\r\ne */ f\r\n", "a \r\nc \r\n f\r\n"),
    ("a // b\rc", "a \rc"),
    ("// a /* b\nc // */", "\nc "),
    ("/* a // b */ c", " c"),
    ("/**/x", "x"),
    ("var/**/x", "var x"),
    ("f(/* nothing */)", "f( )"),
    ("// é\nx // 🎮\ny", "\nx \ny"),
    ("", ""),
    ("x = 4 / 2;", "x = 4 / 2;"),
]
STRINGS = [
    (r"s = 'it\'s // here'; // gone", r"s = 'it\'s // here'; "),
    (r's = "say \"/* hi */\""; /* gone */', r's = "say \"/* hi */\""; '),
    ('a = ""; // gone\nb = "";', 'a = ""; \nb = "";'),
    ("a = ''; // it's gone\nb = ''; /* too */", "a = ''; \nb = ''; "),
    (r'a = "\\"; // gone', r'a = "\\"; '),
    (r"a = '\\'; b = '// kept'; // gone", r"a = '\\'; b = '// kept'; "),
    ('a = "\'"; // gone', 'a = "\'"; '),
    ('a = "https://example.org"; // gone', 'a = "https://example.org"; '),
]
TEMPLATES = [
    ("a = `// kept`; // gone", "a = `// kept`; "),
    ("a = `/* kept */`;", "a = `/* kept */`;"),
    ("a = `one\n// kept\n`; // gone", "a = `one\n// kept\n`; "),
    ("a = `${b /* gone */}// kept`;", "a = `${b }// kept`;"),
    ("a = `${`// ${'/* kept */'}`}`; // gone", "a = `${`// ${'/* kept */'}`}`; "),
    (r"a = `\`// kept`; // gone", r"a = `\`// kept`; "),
]
REGEX = [
    (r"r = /\/\//g; // gone", r"r = /\/\//g; "),
    ("r = /[/*]/; // gone", "r = /[/*]/; "),
    ("r = /[//]/.test(s); // gone", "r = /[//]/.test(s); "),
    ("if (a) /b/.test(c) // gone", "if (a) /b/.test(c) "),
    ("a = b / c / d; // gone", "a = b / c / d; "),
    ("a = (b) / 2 // gone", "a = (b) / 2 "),
    ("a = b /2/* gone */ / 3", "a = b /2 / 3"),
    ("a++ / 2 // gone / 3", "a++ / 2 "),
    ("r = /'/; // it's gone", "r = /'/; "),
]
BROKEN = [
    ("if (a { // gone\nb = '// kept'", "if (a { \nb = '// kept'"),
    ('s = "http://abc;\nrect(1); // gone', 's = "http://abc;\nrect(1); '),
    ("a /* has no end", "a /* has no end"),
    ("} // gone", "} "),
    ('"\ud800" // gone', '"\ud800" '),
]


@pytest.mark.parametrize(("code", "left"), [*PLAIN, *STRINGS, *TEMPLATES, *REGEX, *BROKEN])
def test_what_is_left(code: str, left: str):
    assert without_comments(code) == left


@settings(deadline=None)
@given(st.text(alphabet="/*\"'`\\\n\r${}[]() ab=1+;<!-", max_size=60))
def test_every_line_keeps_its_number(code: str):
    left = without_comments(code)
    assert left.count("\n") == code.count("\n")
    assert left.count("\r") == code.count("\r")
    assert len(left) <= len(code)


@pytest.mark.parametrize("code", ["", " ", "\n\t\r\n", "\u00a0", "\ufeff", "\ufeff \u200b\0\n"])
def test_blank(code: str):
    assert is_blank(code)


@pytest.mark.parametrize("code", ["a", "\n;", "// a", "\0a", "/* */"])
def test_not_blank(code: str):
    assert not is_blank(code)
