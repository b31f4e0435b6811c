"""What decides a conditional, and whether it does so in the draw loop."""

from __future__ import annotations

import pytest

from lib.assessment.program import features

INPUT = [
    "keyDown",
    "keyWentDown",
    "keyWentUp",
    "mouseDidMove",
    "mouseDown",
    "mouseIsOver",
    "mousePressedOver",
    "mouseWentDown",
    "mouseWentUp",
]
TESTS = [
    *((f"{name}('a')", "user") for name in INPUT),
    ("!keyDown('a')", "user"),
    ("!(keyDown('a'))", "user"),
    ("keyDown('a') == true", "user"),
    ("keyDown('a') && keyDown('b')", "user"),
    ("x", "variable"),
    ("!x", "variable"),
    ("x > 3", "variable"),
    ("3 > x", "variable"),
    ("x === undefined", "variable"),
    ("-x > 3", "variable"),
    ("x * 2 + 1 > 3 - 1", "variable"),
    ("x % 2 == 0", "variable"),
    ("x > cat.x", "variable"),
    ("x == f()", "variable"),
    ("x++ > 3", "variable"),
    ("x = 3", "variable"),
    ("typeof x == 'number'", "variable"),
    ("`${x}` == 'a'", "variable"),
    ("x in list", "variable"),
    ("cat", "variable"),
    ("cat.x", "object"),
    ("cat.x > 3", "object"),
    ("cat.x > dog.x", "object"),
    ("cat.x + 10 > 400", "object"),
    ("cat.x == f()", "object"),
    ("cat?.x > 3", "object"),
    ("cats[0] == 3", "object"),
    ("World.frameCount % 30 == 0", "object"),
    ("this.x", "object"),
    ("cat.isTouching(dog)", "object"),
    ("!cat.isTouching(dog)", "object"),
    ("cat.isTouching(dog) == true", "object"),
    ("touching()", "object"),
    ("randomNumber(1, 6) == 3", "object"),
    ("World.keyDown('a')", "object"),
    ("keyDown('a') && x > 3", "user variable"),
    ("x > 3 || cat.x > 3", "object variable"),
    ("!(keyDown('a') && cat.isTouching(dog))", "object user"),
    ("a && (b.c || !keyDown('d'))", "object user variable"),
    ("a ?? b.c", "object variable"),
    ("(a, b.c)", "object"),
    ("true", ""),
    ("-1", ""),
    ("1 > 2", ""),
    ("'a' == \"b\"", ""),
    ("undefined", ""),
    ("NaN", ""),
    ("function () {}", ""),
    ("[a]", ""),
    ("new A()", ""),
    ("", ""),
]


def decided(code: str) -> list[str]:
    """The triggers of each conditional in the draw loop."""
    return [" ".join(sorted(each.triggers)) for each in features(code).conditionals if each.in_draw]


@pytest.mark.parametrize(("test", "triggers"), TESTS)
def test_what_decides(test: str, triggers: str):
    assert decided(f"function draw() {{ if ({test}) {{ a = 1; }} }}") == [triggers]


@pytest.mark.parametrize(
    ("code", "triggers"),
    [
        ("if (a) b();", ["variable"]),
        ("if (a) b(); else c();", ["variable"]),
        ("if (a) b(); else if (c.d) e(); else if (keyDown()) f();", ["variable", "object", "user"]),
        ("if (a) if (b.c) d();", ["variable", "object"]),
        ("x = a ? 1 : 2;", ["variable"]),
        ("x = a ? 1 : b.c ? 2 : 3;", ["variable", "object"]),
        ("f(keyDown('a') ? 1 : 2);", ["user"]),
        ("if (a ? b.c : d) e();", ["", "variable"]),
        ("switch (a) { case 1: b(); break; default: c(); }", ["variable"]),
        ("switch (a.b) { case 1: case 2: }", ["object"]),
        ("switch (true) { case keyDown('a'): break; case b > 3: }", ["user variable"]),
        ("while (a) { if (b) c(); }", ["variable"]),
        ("for (var i = 0; i < 3; i++) if (a.b) c();", ["object"]),
        ("while (a) {} do {} while (b); for (; c;) {}", []),
        ("a && b();", []),
        ("list.forEach(a => { if (a) b(); });", ["variable"]),
        ("if (a) {", ["variable"]),
        ("if a { b(); } if (c.d) {}", ["object"]),
    ],
)
def test_which_conditionals_there_are(code: str, triggers: list[str]):
    assert decided(f"function draw() {{\n{code}\n}}") == triggers


def test_in_the_draw_loop_or_not():
    code = (
        "if (a) {}\nfunction draw() { f(); }\nfunction f() {\n  if (a) {\n    b();\n  }\n}\nfunction g() { if (a) {} }"
    )
    found = features(code).conditionals
    assert [(each.in_draw, *each.lines) for each in found] == [(False, 1, 1), (True, 4, 6), (False, 8, 8)]


def test_else_if_has_its_own_lines():
    code = "function draw() {\n  if (a) {\n    b();\n  } else if (c) {\n    d();\n  }\n}"
    assert [each.lines for each in features(code).conditionals] == [(2, 6), (4, 6)]
