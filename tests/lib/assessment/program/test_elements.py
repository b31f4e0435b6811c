"""What a program puts on the screen, and where."""

from __future__ import annotations

import pytest

from lib.assessment.program import features

SPRITE = "createSprite(1, 2)"


def elements(code: str) -> list[tuple[str, str, int, int]]:
    """Kind, name, first and last line of each."""
    return [(each.kind, each.name, *each.lines) for each in features(code).elements]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (f"var cat = {SPRITE};", "cat"),
        (f"let cat = {SPRITE};", "cat"),
        (f"const cat = {SPRITE};", "cat"),
        (f"cat = {SPRITE}", "cat"),
        (f"var cat = ({SPRITE});", "cat"),
        (f"game.cat = {SPRITE};", "game.cat"),
        (f"game['cat'] = {SPRITE};", "game.cat"),
        (f"this.cat = {SPRITE};", "this.cat"),
        (f"var cat = big ? {SPRITE} : createSprite(3, 4);", "cat"),
        (f"if (big) cat = {SPRITE}; else cat = createSprite(3, 4);", "cat"),
        (f"{SPRITE};", ""),
        (f"cats.push({SPRITE});", ""),
        (f"cats[i] = {SPRITE};", ""),
        (f"function make() {{ return {SPRITE}; }}", ""),
    ],
)
def test_a_sprite(code: str, name: str):
    assert elements(code) == [("sprite", name, 1, 1)]


def test_sprites_without_a_name_all_count():
    assert elements(f"cats.push({SPRITE}, {SPRITE});") == [("sprite", "", 1, 1)] * 2


def test_several_in_one_declaration():
    assert elements(f"var x, cat = {SPRITE},\n  dog = {SPRITE};") == [("sprite", "cat", 1, 1), ("sprite", "dog", 2, 2)]


def test_a_declaration_of_nothing_hides_nothing():
    assert elements(f"var x;\nlet y;\nvar cat = {SPRITE};") == [("sprite", "cat", 3, 3)]


@pytest.mark.parametrize("call", ["circle", "ellipse", "quad", "rect", "regularPolygon", "shape", "triangle"])
def test_a_shape(call: str):
    assert elements(f"{call}(1, 2, 3, 4, 5, 6, 7, 8, 9);") == [("shape", "", 1, 1)]


@pytest.mark.parametrize("call", ["line", "arc", "point", "fill", "Rect", "rectangle"])
def test_no_shape(call: str):
    assert elements(f"{call}(1, 2);") == []


def test_text_and_background():
    assert elements("background('red');\ntext(\n  `${score} points`,\n  1, 2);") == [
        ("background", "", 1, 1),
        ("text", "", 2, 4),
    ]


@pytest.mark.parametrize(
    "code",
    [
        "for (var i = 0; i < 3; i++) rect(i, i);",
        "while (a) { rect(1); }",
        "do rect(1); while (a)",
        "for (var a of b) { rect(a); }",
        "if (a) rect(1);",
        "if (a) {} else rect(1);",
        "switch (a) { case 1: rect(1); }",
        "a ? rect(1) : 0;",
        "a && rect(1);",
        "list.forEach(a => rect(a));",
        "list.forEach(function (a) { rect(a); });",
        "try { rect(1); } catch (e) {}",
        "{ rect(1 + 2 * 3, -x, a.b, f(1)(2)); }",
        "class A { b() { rect(1); } }",
        "label: rect(1);",
    ],
)
def test_wherever_it_is_called(code: str):
    assert elements(code) == [("shape", "", 1, 1)]


def test_a_function_of_the_program_is_none_of_game_labs():
    assert elements("function circle(x) { ellipse(x, x); }\ncircle(3);") == [("shape", "", 1, 1)]


def test_a_method_is_none():
    assert elements("page.text('a'); pen.rect(1);") == []


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_lines_by_any_newline(newline: str):
    code = newline.join(["// a", "rect(1);", "", "text(", "  'a');", ""])
    assert elements(code) == [("shape", "", 2, 2), ("text", "", 4, 5)]


@pytest.mark.parametrize(
    "fault",
    ["var = 5;", "a.x = ;", "rect2(1, 2 3);", "if a > 3 { b = 4; }", "}", "x = 'a;", "b(;", "@#"],
)
def test_lines_after_a_fault(fault: str):
    assert elements(f"rect(1);\n{fault}\n\nellipse(2);\n") == [("shape", "", 1, 1), ("shape", "", 4, 4)]


def test_newer_javascript():
    assert elements("a?.b?.(); class A { #x = 1; static y = 2 }\nrect(1 ?? 2, 2 ** 3, ...c);") == [("shape", "", 2, 2)]
