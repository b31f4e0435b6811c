"""The two patterns by which a sprite moves."""

from __future__ import annotations

import pytest

from lib.assessment.program import features

CAT = "var cat = createSprite(1, 2);\n"


def moves(code: str) -> list[tuple[str, str, int, int]]:
    """Pattern, sprite and property, first and last line."""
    return [(m.pattern, f"{m.sprite}.{m.property}", *m.lines) for m in features(CAT + code).movements]


def in_draw(code: str) -> list[str]:
    """The patterns of one statement in draw."""
    return [pattern for pattern, *_ in moves(f"function draw() {{\n{code}\n}}")]


@pytest.mark.parametrize(
    "code",
    [
        "cat.x = cat.x + 1;",
        "cat.x = cat.x - 1;",
        "cat.x = 1 + cat.x;",
        "cat.x = 400 - cat.x;",
        "cat.x = cat.x + a * b - c / 2;",
        "cat.x = (cat.x + 1);",
        "cat.x = (cat.x + 1) % 400;",
        "cat.x = cat.x > 400 ? 0 : cat.x + 1;",
        "cat.x = cat['x'] + 1;",
        "cat.x = cat.x + speed();",
        "cat.x += 1;",
        "cat.x -= a * (b + 1);",
        "cat.x++;",
        "++cat.x;",
        "cat.x--;",
        "cat.y = cat.y + 1;",
        "cat.velocityX = cat.velocityX + 1;",
        "cat.velocityY -= 0.1;",
        "cat.rotation += 5;",
        "a = cat.x += 1;",
    ],
)
def test_counter(code: str):
    assert in_draw(code) == ["counter"]


@pytest.mark.parametrize(
    "code",
    [
        "cat.x = randomNumber(1, 400);",
        "cat.x = randomNumber(1, 4) * 100;",
        "cat.x = 5 + randomNumber(1, 4);",
        "cat.x = 5 + (2 * -randomNumber(1, 4));",
        "cat.x = lost ? randomNumber(1, 4) : 200;",
        "cat.x *= randomNumber(1, 2);",
        "cat.rotation = randomNumber(0, 359);",
    ],
)
def test_random(code: str):
    assert in_draw(code) == ["random"]


@pytest.mark.parametrize("code", ["cat.x = cat.x + randomNumber(-1, 1);", "cat.x += randomNumber(-1, 1);"])
def test_both(code: str):
    assert in_draw(code) == ["counter", "random"]


@pytest.mark.parametrize(
    "code",
    [
        "cat.x = 5;",
        "cat.x = cat.x;",
        "cat.x = -cat.x;",
        "cat.x = cat.x * 2;",
        "cat.x *= 2;",
        "cat.x = cat.y + 1;",
        "cat.x = dog.x + 1;",
        "cat.scale += 1;",
        "cat.x = f(cat.x + 1);",
        "cat.x = f(randomNumber(1, 2));",
        "cat.x = 'randomNumber(1, 2)';",
        "x += 1;",
        "dog.x += 1;",
        "cat.setAnimation('a');",
    ],
)
def test_neither(code: str):
    assert in_draw(code) == []


def test_outside_of_the_draw_loop_nothing_moves():
    assert moves("cat.x += 1;\nfunction f() { cat.x += 1; }\nfunction draw() {}") == []


def test_a_helper_of_draw_moves():
    assert moves("function draw() { f(); }\nfunction f() {\n  cat.x += 1;\n}") == [("counter", "cat.x", 4, 4)]


def test_inside_an_if_the_whole_outer_if_is_named():
    code = """function draw() {
  cat.y--;
  if (a) {
    if (b) {
      cat.x++;
    }
  } else if (c)
    cat.y = randomNumber(1, 2);
  while (d) {
    cat.x--;
  }
}"""
    assert moves(code) == [
        ("counter", "cat.y", 3, 3),
        ("counter", "cat.x", 4, 9),
        ("random", "cat.y", 4, 9),
        ("counter", "cat.x", 11, 11),
    ]


def test_an_if_around_the_call_of_a_helper_is_not_in_the_helper():
    assert moves("function draw() {\n  if (a)\n    f();\n}\nfunction f() { cat.x++; }") == [("counter", "cat.x", 6, 6)]
