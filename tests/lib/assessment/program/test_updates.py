"""What happens to a sprite, in the draw loop and outside of it."""

from __future__ import annotations

import pytest

from lib.assessment.program import features

CAT = "var cat = createSprite(1, 2);\n"


def updates(code: str) -> list[tuple[str, int, str]]:
    """Sprite and property, line, place: `in`, `out` or `both`."""
    places = {(True, False): "in", (False, True): "out", (True, True): "both"}
    return [(f"{u.sprite}.{u.property}", u.lines.first, places[u.in_draw, u.outside]) for u in features(code).updates]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("cat.x = 5;", "x"),
        ("cat['x'] = 5;", "x"),
        ("cat.x += 5;", "x"),
        ("cat.x -= 5;", "x"),
        ("cat.x *= 5;", "x"),
        ("cat.x++;", "x"),
        ("--cat.x;", "x"),
        ("cat.visible = !cat.visible;", "visible"),
        ("cat.scale = a ? 1 : 2;", "scale"),
        ("cat.onTap = function () {};", "onTap"),
        ("dog = cat.y = 3;", "y"),
        ("cat.setAnimation('a');", "animation"),
        ("if (a) cat.setAnimation(`a${1}`);", "animation"),
    ],
)
def test_an_update(code: str, name: str):
    assert updates(CAT + code) == [(f"cat.{name}", 2, "out")]
    assert updates(f"{CAT}function draw() {{ {code} }}") == [(f"cat.{name}", 2, "in")]


@pytest.mark.parametrize(
    "code", ["cat = 5;", "dog.x = 5;", "cat.x == 5;", "cat.setSpeed(3);", "cat;", "cat[x] = 3;", "x++;"]
)
def test_no_update(code: str):
    assert updates(CAT + code) == []


def test_the_order_of_the_program_does_not_matter():
    assert updates("function draw() { cat.x = 1; }\n" + CAT) == [("cat.x", 1, "in")]


@pytest.mark.parametrize(
    "draw",
    [
        "function draw() { cat.x = 1; }",
        "function draw() { if (a) { while (b) for (;;) { switch (c) { case 1: cat.x = 1; } } } }",
        "var draw = function () { cat.x = 1; };",
        "draw = function () { cat.x = 1; };",
        "draw = (function () { cat.x = 1; });",
        "draw = function loop() { cat.x = 1; };",
        "const draw = () => { cat.x = 1; };",
        "draw = () => cat.x = 1;",
        "draw = async () => { cat.x = 1; };",
        "function draw() { cats.forEach(function (c) { cat.x = 1; }); }",
        "function draw() { (() => { cat.x = 1; })(); }",
        "function draw() { function inside() { cat.x = 1; } inside(); }",
        "function draw() { move(); } function move() { cat.x = 1; }",
        "function move() { cat.x = 1; } function draw() { if (a) move(); }",
        "function draw() { a(); } function a() { b(); } function b() { a(); b(); cat.x = 1; }",
        "function draw() { var y = 1 + move(2) * 3; } var move = a => { cat.x = 1; };",
        "function draw() { cats.forEach(move); } function move() { cat.x = 1; }",
        "function draw() { game.move(); } var game = { move: function () { cat.x = 1; } };",
        "function draw() { game.move(); } var game = { move() { cat.x = 1; } };",
        "function draw() { game.move(); } game.move = () => { cat.x = 1; };",
        "function draw() { move(); } move = function () { cat.x = 1; };",
        "function draw() { cat.x = 1;",
        "function draw() { if (a) { cat.x = 1; }",
        "function draw( { rect(1); cat.x = 1; }",
    ],
)
def test_in_the_draw_loop(draw: str):
    assert updates(CAT + draw) == [("cat.x", 2, "in")]


@pytest.mark.parametrize(
    "code",
    [
        "cat.x = 1; function draw() {}",
        "function draw() {} cat.x = 1;",
        "function draw() {} function move() { cat.x = 1; }",
        "function move() { cat.x = 1; } move(); function draw() {}",
        "function Draw() { cat.x = 1; }",
        "game.draw = function () { cat.x = 1; };",
        "var other = function draw() { cat.x = 1; };",
        "function a() { b(); } function b() { a(); cat.x = 1; } function draw() {}",
    ],
)
def test_outside_of_it(code: str):
    assert updates(CAT + code) == [("cat.x", 2, "out")]


def test_in_a_function_that_both_call():
    code = f"{CAT}function reset() {{ cat.x = 1; }}\nreset();\nfunction draw() {{ reset(); }}"
    assert updates(code) == [("cat.x", 2, "both")]


def test_calling_draw_by_hand_changes_nothing():
    assert updates(f"{CAT}function draw() {{ cat.x = 1; }}\ndraw();") == [("cat.x", 2, "in")]


def test_a_fault_in_draw_does_not_lose_what_follows():
    code = (
        CAT + 'function draw() {\n  if (keyDown("up)) {\n    cat.x = 1;\n  }\n}\nfunction other() {\n  cat.y = 2;\n}\n'
    )
    assert updates(code) == [("cat.x", 4, "in"), ("cat.y", 8, "out")]


def test_where_draw_is():
    assert features("var x;\nfunction draw() {\n  x = 1;\n}\n").draw == (2, 4)
    assert features("var x;").draw is None
