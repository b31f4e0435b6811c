"""What one expression says: which property it names, what it adds up, what a test depends on.

Every look goes down as far as the operators go and no further: calls, functions and other assignments are looked at
on their own. So each part of a program is seen a fixed number of times, however deep it is nested.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lib.assessment.program.model import Lines, Pattern, Trigger
from lib.assessment.program.words import INPUT, RANDOM

if TYPE_CHECKING:
    from lib.assessment.program.parse import Node

DEEPEST_PATH = 4  # names in `a.b.c.d`
OPERATORS = frozenset(
    {
        "binary_expression",
        "unary_expression",
        "update_expression",
        "parenthesized_expression",
        "template_string",
        "template_substitution",
    }
)
LOGICAL = frozenset({"&&", "||", "??", "!"})
STRENGTH: tuple[Trigger, ...] = ("variable", "object", "user")  # of a comparison's sides the first decides
TRIGGERS: dict[str, Trigger] = {
    "identifier": "variable",
    "member_expression": "object",
    "subscript_expression": "object",
    "this": "object",
    "call_expression": "object",
}
CONSTANTS = frozenset({"NaN", "Infinity"})  # to the parser they are variables


def text(node: Node | None) -> str:
    """The source of a node, empty for none."""
    return (node.text or b"").decode("utf-8", "replace") if node else ""


def name_in(node: Node, field: str) -> str:
    """The name in a field of a node, empty where a pattern or a computed name stands there."""
    found = node.child_by_field_name(field)
    return text(found) if found and not found.child_count else ""


def lines_of(node: Node) -> Lines:
    """Where a node stands. One that ends with a newline does not reach into the next line."""
    first, (row, column) = node.start_point.row, node.end_point
    last = row - 1 if column == 0 and row > first else row
    return Lines(first + 1, last + 1)


def path(node: Node | None) -> tuple[str, ...]:
    """`world.cat["x"]` as its names, () for what is no such chain of at most `DEEPEST_PATH`."""
    names: list[str] = []
    while node and len(names) < DEEPEST_PATH:
        if node.type in {"identifier", "this"} and not node.is_missing:
            return (text(node), *reversed(names))
        name = _property(node)
        if not name:
            break
        names.append(name)
        node = node.child_by_field_name("object")
    return ()


def callee(node: Node) -> str:
    """The name of the function that a call calls, empty for any other node and for `a.f()`."""
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    return text(function) if function and function.type == "identifier" else ""


def operator(node: Node) -> str:
    """`+`, `&&`, `-=`: empty where there is none."""
    found = node.child_by_field_name("operator")
    return found.type if found else ""


def patterns(assignment: Node) -> frozenset[Pattern]:
    """The patterns by which an assignment gives its left side a new value."""
    left, right = assignment.child_by_field_name("left"), assignment.child_by_field_name("right")
    target, found = path(left), set[Pattern]()
    if operator(assignment) in {"+=", "-="}:
        found.add("counter")
    for term, summed in _terms(right):
        if summed and path(term) == target:
            found.add("counter")
        if callee(term) == RANDOM:
            found.add("random")
    return frozenset(found)


def triggers(test: Node | None) -> frozenset[Trigger]:
    """What decides a test: each side of `&&`, `||` and `!` for itself, the strongest side of a comparison."""
    found, waiting = set[Trigger](), [test] if test else []
    while waiting:
        node = waiting.pop()
        if node.type == "parenthesized_expression" or operator(node) in LOGICAL:
            waiting += node.named_children
            continue
        kinds = {_trigger(leaf) for leaf in _leaves(node)}
        found.update([kind for kind in STRENGTH if kind in kinds][:1])
    return frozenset(found)


def _property(node: Node) -> str:
    """`x` of `a.x` and of `a["x"]`."""
    if node.type == "member_expression":
        return text(node.child_by_field_name("property"))
    index = node.child_by_field_name("index") if node.type == "subscript_expression" else None
    name = text(index)[1:-1] if index and index.type == "string" else ""
    return name if name.isidentifier() else ""


def _terms(value: Node | None) -> Iterator[tuple[Node, bool]]:
    """What a value is made of, and whether it is a part of a sum or a difference. Both branches of `? :` count."""
    waiting = [(value, False)] if value else []
    while waiting:
        node, summed = waiting.pop()
        if node.type == "ternary_expression":
            branches = [node.child_by_field_name("consequence"), node.child_by_field_name("alternative")]
            waiting += [(branch, summed) for branch in branches if branch]
        elif node.type in OPERATORS:
            sums = node.type == "binary_expression" and operator(node) in {"+", "-"}
            waiting += [(child, summed or sums) for child in node.named_children]
        else:
            yield node, summed


def _leaves(node: Node) -> Iterator[Node]:
    """What the operators of a comparison work on. Of an assignment that is its left side."""
    waiting: list[Node | None] = [node]
    while waiting:
        match waiting.pop():
            case None:
                pass
            case part if part.type in OPERATORS:
                waiting += part.named_children
            case part if part.type in {"assignment_expression", "augmented_assignment_expression"}:
                waiting.append(part.child_by_field_name("left"))
            case part if part.type == "sequence_expression":
                waiting += part.named_children[-1:]
            case part:
                yield part


def _trigger(leaf: Node) -> Trigger | None:
    if callee(leaf) in INPUT:
        return "user"
    if leaf.type == "identifier" and (leaf.is_missing or text(leaf) in CONSTANTS):
        return None
    return TRIGGERS.get(leaf.type)
