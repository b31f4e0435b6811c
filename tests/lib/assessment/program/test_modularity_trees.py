"""The trees about sprites, conditionals and functions: labels, their boundaries, evidence."""

from __future__ import annotations

import pytest

from tests.lib.assessment.program.pieces import C, E, L, N, draw, evidence, label, program, sprites

PROPERTIES = "Modularity - Sprites and Sprite Properties"
SPRITES = "Modularity - Multiple Sprites"
CONDITIONALS = "Algorithms and Control - Conditionals"
FUNCTIONS = "Modularity - Use of Functions"


def updates(count: int) -> list[str]:
    """The first sprites' places set, a line each."""
    return [f"s{number}.x = {number};" for number in range(1, count + 1)]


def animations(count: int) -> list[str]:
    """The first sprites' animations set, a line each."""
    return [f"s{number}.setAnimation('a');" for number in range(1, count + 1)]


def velocities(count: int) -> list[str]:
    """The first sprites' velocities set, a line each."""
    return [f"s{number}.velocity{'XY'[number % 2]} = {number};" for number in range(1, count + 1)]


# ---- L14 and L18: sprites updated in the draw loop ----


@pytest.mark.parametrize(
    ("made", "updated", "l14", "l18"),
    [
        (4, 4, E, E),
        (3, 3, E, E),
        (3, 2, E, C),
        (2, 2, E, C),
        (3, 1, C, C),
        (2, 1, C, C),
        (1, 1, C, C),
        (3, 0, L, L),
        (1, 0, L, L),
        (0, 2, N, N),
        (0, 0, N, N),
    ],
)
def test_sprites_updated_in_draw(made: int, updated: int, l14: str, l18: str):
    code = program(*sprites(made), *draw(*updates(updated)))
    assert label("L14", PROPERTIES, code) == l14
    assert label("L18", SPRITES, code) == l18


def test_the_same_sprite_twice_is_one():
    code = program(*sprites(3), *draw("s1.x = 1;", "s1.y = 2;", "s1.setAnimation('a');"))
    assert label("L14", PROPERTIES, code) == label("L18", SPRITES, code) == C


def test_updates_outside_of_draw_do_not_count():
    code = program(*sprites(3), *updates(3), *draw())
    assert label("L14", PROPERTIES, code) == label("L18", SPRITES, code) == L


@pytest.mark.parametrize(("lesson", "concept"), [("L14", PROPERTIES), ("L18", SPRITES)])
def test_evidence_of_updates(lesson: str, concept: str):
    code = program(
        *sprites(2), "s1.scale = 2;", *draw("s2.x++;", "s2.x++; s2.x--;", "f();"), "function f() {", "s1.y -=", "1;}"
    )
    assert evidence(lesson, concept, code) == [
        "Line 1: Code contains 2 sprites",
        "Line 2: Code contains 2 sprites",
        "Line 3: Property s1.scale is updated outside of the draw loop",
        "Line 5: Property s2.x is updated in the draw loop",
        "Line 6: Property s2.x is updated in the draw loop",
        "Lines 10-11: Property s1.y is updated in the draw loop",
    ]


# ---- L18: conditionals ----

USER, VARIABLE, OBJECT, CONSTANT = "if (keyDown('a')) b();", "if (a) b();", "if (a.b > 3) c();", "if (true) b();"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([USER, USER, VARIABLE], E),
        ([USER, OBJECT, OBJECT], E),
        ([USER, VARIABLE, OBJECT, USER], E),
        ([USER, "if (keyDown('a') && b) c();", USER], E),
        ([USER, VARIABLE], C),
        ([USER, OBJECT], C),
        ([USER, OBJECT, CONSTANT], C),
        (["if (keyDown('a') || b) c();", USER], C),
        ([USER, USER, USER], L),
        ([VARIABLE, OBJECT, VARIABLE], L),
        ([USER], L),
        ([VARIABLE], L),
        ([OBJECT], L),
        (["x = a ? 1 : 2;"], L),
        (["if (keyDown('a') || b) c();"], L),
        ([CONSTANT], N),
        (["while (a) b();"], N),
        ([], N),
    ],
)
def test_conditionals(lines: list[str], expected: str):
    assert label("L18", CONDITIONALS, program(*draw(*lines))) == expected


def test_conditionals_outside_of_draw_do_not_count():
    assert label("L18", CONDITIONALS, program(USER, VARIABLE, OBJECT, *draw())) == N


def test_evidence_of_conditionals():
    code = program(VARIABLE, *draw(USER, "if (a.b) {", "} else if (c) {", "}", CONSTANT, "if (a && keyDown()) {}"))
    assert evidence("L18", CONDITIONALS, code) == [
        "Line 3: Conditional triggered by user interaction",
        "Lines 4-6: Conditional triggered by object property value",
        "Lines 5-6: Conditional triggered by variable value",
        "Line 8: Conditional triggered by user interaction and variable value",
    ]


# ---- L21 and L24: animations and velocities outside of the draw loop ----


@pytest.mark.parametrize(
    ("made", "animated", "moving", "l21", "l24"),
    [
        (5, 5, 5, E, E),
        (4, 4, 2, E, E),
        (4, 4, 1, C, C),
        (4, 3, 2, E, C),
        (3, 3, 2, E, C),
        (3, 4, 2, E, C),
        (3, 3, 1, C, C),
        (3, 2, 2, C, L),
        (2, 2, 2, C, L),
        (2, 2, 1, C, L),
        (4, 4, 0, L, L),
        (2, 2, 0, L, L),
        (2, 1, 2, N, N),
        (1, 1, 1, N, N),
        (3, 0, 3, N, N),
        (0, 0, 0, N, N),
    ],
)
def test_sprites_set_up(made: int, animated: int, moving: int, l21: str, l24: str):
    code = program(*sprites(made), *animations(animated), *velocities(moving), *draw())
    assert label("L21", SPRITES, code) == l21
    assert label("L24", SPRITES, code) == l24


def test_set_up_in_draw_does_not_count():
    code = program(*sprites(4), *draw(*animations(4), *velocities(2)))
    assert label("L21", SPRITES, code) == label("L24", SPRITES, code) == N


def test_set_up_in_a_function_that_draw_calls_too_counts():
    code = program(
        *sprites(3), "function start() {", *animations(3), *velocities(2), "}", "start();", *draw("start();")
    )
    assert label("L21", SPRITES, code) == E


@pytest.mark.parametrize("lesson", ["L21", "L24"])
def test_evidence_of_set_up(lesson: str):
    code = program(*sprites(2), *velocities(1), *animations(2), "s1.velocityX = 2;", *draw("s1.setAnimation('b');"))
    assert evidence(lesson, SPRITES, code) == [
        "Line 1: Code contains 2 sprites",
        "Line 2: Code contains 2 sprites",
        "Line 4: Animation is set for sprite s1",
        "Line 5: Animation is set for sprite s2",
        "Line 3: Velocity is set for sprite s1",
        "Line 6: Velocity is set for sprite s1",
    ]


# ---- L28: functions ----

F, G, H = "function f() {}", "var g = function () {};", "const h = () => 1;"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([F, G, H, "f();", "f();"], E),
        ([F, G, H, *draw("f();", "if (a) f();")], E),
        ([F, G, "function h() { f(); }", *draw("f(); h();")], E),
        ([F, G, H, "f();", "g();", "h();"], C),
        ([F, G, "f();", "f();"], C),
        ([F, G, "x = f() + 1;"], C),
        ([F, F, "f();", "f();"], L),
        ([F, *draw("f();")], L),
        ([F, *draw(G, H, "f(); f();")], L),
        ([F, G, H], N),
        ([F, G, H, "rect(1);", "rect(2);"], N),
        ([*draw(F, "f();", "f();")], N),
        (["f();", "f();"], N),
        (["f();", *draw()], N),
        ([], N),
    ],
)
def test_functions(lines: list[str], expected: str):
    assert label("L28", FUNCTIONS, program(*lines)) == expected


def test_evidence_of_functions():
    code = program("f();", "function f() {", "}", *draw("function g() {}", "f();", "f(); g();"), H, "rect(1);")
    assert evidence("L28", FUNCTIONS, code) == [
        "Lines 2-3: Function f is defined",
        "Line 9: Function h is defined",
        "Line 1: Function f is called",
        "Line 6: Function f is called",
        "Line 7: Function f is called",
        "Line 7: Function g is called",
    ]
