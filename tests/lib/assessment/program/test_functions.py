"""The functions of a program, and their calls."""

from __future__ import annotations

import pytest

from lib.assessment.program import features


@pytest.mark.parametrize(
    "code",
    [
        "function f() {}",
        "function* f() {}",
        "async function f(a, b = 2, ...c) {}",
        "var f = function () {};",
        "let f = function g() {};",
        "const f = () => 1;",
        "f = a => a * 2;",
        "var f; f = function () {};",
        "function draw() {} function f() {}",
        "(function () { function f() {} })();",
        "function f() {",
        "rect(1, 2 3);\nfunction f() { b(; }",
    ],
)
def test_a_function(code: str):
    assert [(each.name, each.in_draw) for each in features(code).functions] == [("f", False)]


@pytest.mark.parametrize(
    "code",
    [
        "function draw() {}",
        "draw = () => 1;",
        "f();",
        "(function f() {})();",
        "list.map(function () {});",
        "var a = { f: function () {}, g() {} };",
        "class A { f() {} }",
        "cat.f = function () {};",
    ],
)
def test_no_function_with_a_name_of_its_own(code: str):
    assert features(code).functions == ()


def test_inside_of_draw():
    code = "function draw() {\n  function f() {}\n  var g = () => 1;\n}\nfunction h() {\n}"
    found = [(each.name, each.in_draw, *each.lines) for each in features(code).functions]
    assert found == [("f", True, 2, 2), ("g", True, 3, 3), ("h", False, 5, 6)]


def test_calls():
    code = """f(1);
var x = f(2) + g(f(3));
function draw() {
  if (f(4)) g();
  h(); a.f(); new f(); rect(1);
}
function f() { f(); }
var g = () => 1;
"""
    found = features(code)
    assert [(each.name, each.lines.first) for each in found.own_calls()] == [
        ("f", 1),
        ("f", 2),
        ("g", 2),
        ("f", 2),
        ("f", 4),
        ("g", 4),
        ("f", 7),
    ]
    assert [each.name for each in found.calls if each.name not in {"f", "g"}] == ["h", "rect"]
    assert [each.in_draw for each in found.calls] == [False] * 4 + [True] * 4 + [True]


def test_a_call_of_several_lines():
    assert [each.lines for each in features("f(\n  1,\n  2\n);").calls] == [(1, 4)]
