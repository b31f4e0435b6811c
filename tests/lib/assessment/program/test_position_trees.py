"""The trees about position and movement: labels, their boundaries, evidence."""

from __future__ import annotations

import pytest

from tests.lib.assessment.program.pieces import C, E, L, N, draw, evidence, label, program, sprites

SHAPES = "Position - Shapes"
ELEMENTS = "Position - Elements and the Coordinate System"
MOVEMENT = "Position and Movement"
RECT, ELLIPSE, TEXT = "rect(1, 2);", "ellipse(3, 4);", "text('a', 5, 6);"


# ---- L7: shapes ----


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ("rect ellipse line arc", E),
        ("arc point regularPolygon shape", E),
        ("rect ellipse line arc point regularPolygon shape", E),
        ("rect ellipse line", C),
        ("rect ellipse line rect ellipse line", C),
        ("rect ellipse", L),
        ("rect", L),
        ("rect rect rect rect", L),
        ("circle quad triangle rect", L),
        ("circle quad triangle", N),
        ("background text createSprite", N),
        ("", N),
    ],
)
def test_shapes(calls: str, expected: str):
    assert label("L7", SHAPES, program(*(f"{call}(1, 2, 3, 4);" for call in calls.split()))) == expected


def test_evidence_of_shapes():
    code = program("background('red');", "rect(1);", "line(", "  1, 2", ");", "circle(1);", "arc(1); rect(2);")
    assert evidence("L7", SHAPES, code) == [
        "Line 2: Code contains 3 different shapes",
        "Lines 3-5: Code contains 3 different shapes",
        "Line 7: Code contains 3 different shapes",
    ]
    assert evidence("L7", SHAPES, "rect(1);\nrect(2);") == [
        "Line 1: Code contains 1 different shape",
        "Line 2: Code contains 1 different shape",
    ]


# ---- L11: elements ----


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (program(RECT, ELLIPSE, *sprites(2), TEXT, TEXT), E),
        (program(RECT, RECT, *sprites(3), *[TEXT] * 3), E),
        (program(RECT, *sprites(2), TEXT, TEXT), C),
        (program(RECT, ELLIPSE, *sprites(2), TEXT), C),
        (program(RECT, *sprites(2), TEXT), C),
        (program(*sprites(2), TEXT, TEXT), L),
        (program(RECT, ELLIPSE, *sprites(1), TEXT, TEXT), L),
        (program(TEXT, TEXT), L),
        (program(RECT, TEXT), L),
        (program(*sprites(1), TEXT), L),
        (program(TEXT), N),
        (program(RECT, ELLIPSE, *sprites(2)), N),
        (program("background('red');", TEXT), N),
        (program("background('red');"), N),
        ("", N),
    ],
)
def test_elements(code: str, expected: str):
    assert label("L11", ELEMENTS, code) == expected


def test_evidence_of_elements():
    code = program("var cat = createSprite(1, 2);", RECT, TEXT, ELLIPSE, "text(", "  'b');", "background('red');")
    assert evidence("L11", ELEMENTS, code) == [
        "Line 1: Code contains 1 sprite",
        "Line 2: Code contains 2 shapes",
        "Line 3: Code contains 2 lines of text",
        "Line 4: Code contains 2 shapes",
        "Lines 5-6: Code contains 2 lines of text",
    ]
    assert evidence("L11", ELEMENTS, program(RECT, TEXT, *sprites(2))) == [
        "Line 1: Code contains 1 shape",
        "Line 2: Code contains 1 line of text",
        "Line 3: Code contains 2 sprites",
        "Line 4: Code contains 2 sprites",
    ]


# ---- L14: position and movement ----

COUNTER, RANDOM = "s1.x = s1.x + 1;", "s2.y = randomNumber(0, 400);"
SCENE = [RECT, ELLIPSE, *sprites(2), TEXT, TEXT]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (program(*SCENE, *draw(COUNTER, RANDOM)), E),
        (program(*SCENE, *draw("s1.x += randomNumber(0, 1);")), E),
        (program(*SCENE, *draw(COUNTER)), C),
        (program(*SCENE, *draw(RANDOM)), C),
        (program(*SCENE[1:], *draw(COUNTER, RANDOM)), C),
        (program(RECT, ELLIPSE, *sprites(2), TEXT, *draw(COUNTER, RANDOM)), C),
        (program(RECT, *sprites(2), TEXT, *draw("if (a) s1.x++;")), C),
        (program(RECT, ELLIPSE, *sprites(1), TEXT, TEXT, *draw("s1.x += randomNumber(0, 1);")), L),
        (program(RECT, ELLIPSE, *sprites(2), *draw(COUNTER, RANDOM)), L),
        (program(*SCENE, COUNTER, RANDOM), L),
        (program(*SCENE, *draw("s1.x = 5;")), L),
        (program(RECT, *sprites(1), TEXT, *draw(COUNTER)), L),
        (program(*sprites(2), TEXT, *draw(COUNTER, RANDOM)), L),
        (program(*sprites(3)), L),
        (program(*sprites(2), *draw(COUNTER, RANDOM)), N),
        (program("background('a');", *sprites(2)), N),
        ("", N),
    ],
)
def test_elements_and_movement(code: str, expected: str):
    assert label("L14", MOVEMENT, code) == expected


def test_evidence_of_elements_and_movement():
    code = program(*sprites(1), *draw(RECT, "if (a) {", COUNTER, "s1.y--;", "}", "s1.x = randomNumber(1, 2);"), COUNTER)
    assert evidence("L14", MOVEMENT, code) == [
        "Line 1: Code contains 1 sprite",
        "Line 3: Code contains 1 shape",
        "Lines 4-7: Movement of s1.x by a counter pattern",
        "Lines 4-7: Movement of s1.y by a counter pattern",
        "Line 8: Movement of s1.x by a random pattern",
    ]


# ---- L18: position and movement ----


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (program(*sprites(3), RECT, *draw(COUNTER, RANDOM)), E),
        (program(*sprites(4), TEXT, TEXT, *draw(COUNTER, RANDOM)), E),
        (program(*sprites(3), RECT, *draw(COUNTER)), C),
        (program(*sprites(3), RECT, *draw(RANDOM)), C),
        (program(*sprites(2), TEXT, *draw(COUNTER, RANDOM)), C),
        (program(*sprites(3), *draw(COUNTER, RANDOM)), L),
        (program(*sprites(3), "background('a');", *draw(COUNTER, RANDOM)), L),
        (program(*sprites(1), RECT, *draw(COUNTER)), L),
        (program(*sprites(3), RECT), L),
        (program(TEXT), L),
        (program("background('a');"), N),
        ("", N),
    ],
)
def test_sprites_others_and_movement(code: str, expected: str):
    assert label("L18", MOVEMENT, code) == expected


def test_evidence_of_sprites_others_and_movement():
    code = program(*sprites(2), RECT, *draw(COUNTER, TEXT))
    assert evidence("L18", MOVEMENT, code) == [
        "Line 1: Code contains 2 sprites",
        "Line 2: Code contains 2 sprites",
        "Line 3: Code contains 2 non-sprite elements",
        "Line 6: Code contains 2 non-sprite elements",
        "Line 5: Movement of s1.x by a counter pattern",
    ]
    assert evidence("L18", MOVEMENT, program(RECT)) == ["Line 1: Code contains 1 non-sprite element"]
