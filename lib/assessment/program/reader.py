"""One pass over a program that notes what is in it, and in which function."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from lib.assessment.program.expressions import callee, lines_of, name_in, path, patterns, text, triggers
from lib.assessment.program.model import Call, Conditional, Element, Lines, Movement, Pattern, Trigger, Update
from lib.assessment.program.parse import walk
from lib.assessment.program.words import ANIMATE, KINDS, MOVING

if TYPE_CHECKING:
    from lib.assessment.program.parse import Node, Tree

TOP = -1  # the owner of what stands in no function
Found = Element | Update | Movement | Conditional | Call


class Scope(NamedTuple):
    """What a node stands in: as deep in the tree as `depth`, the innermost function with a name, the outermost `if`."""

    depth: int
    owner: int
    condition: Lines | None = None


class Owner(NamedTuple):
    """A function with a name: `jump`, `cat.jump` when assigned to that, `.jump` in an object. `owner` is around it."""

    name: str
    lines: Lines
    owner: int


class Reader:
    """Reads one tree. Whether code is in the draw loop is not known before its end, so `found` says whose it is.

    `functions` are numbered by their place, `uses` are the names that a function calls or hands on. A function
    without a name belongs to the one around it.
    """

    def __init__(self, tree: Tree) -> None:
        self.functions: list[Owner] = []
        self.found: list[tuple[int, Found]] = []
        self.uses: set[tuple[int, str]] = set()
        self._scopes = [Scope(-1, TOP)]
        self._names: dict[int, tuple[str, Lines]] = {}  # by the node that is kept under that name
        self._faulty: set[int] = set()  # functions in which an error hides where they end
        for node, depth in walk(tree):
            while self._scopes[-1].depth >= depth:
                self._scopes.pop()
            if read := HANDLERS.get(node.type):
                read(self, node, depth)

    def _note(self, found: Found) -> None:
        self.found.append((self._scopes[-1].owner, found))

    def declaration(self, node: Node, depth: int) -> None:
        """`a = value` in a `var`."""
        self._keep(node.child_by_field_name("value"), name_in(node, "name"), node)

    def pair(self, node: Node, depth: int) -> None:
        """`a: value` in an object."""
        self._keep(node.child_by_field_name("value"), f".{name_in(node, 'key')}", node)

    def passed_on(self, node: Node, depth: int) -> None:
        """Parentheses and branches: what is kept under a name may be inside of them."""
        if name := self._names.get(node.id):
            self._names.update({child.id: name for child in node.named_children})

    def statement(self, node: Node, depth: int) -> None:
        """A function that lacks its last brace is read as an expression that stands alone."""
        for child in node.named_children[:1]:
            self._keep_own_name(child)

    def error(self, node: Node, depth: int) -> None:
        """What is beyond repair. `function f` begins a function here too: it lasts to the end of the fault."""
        for child in node.children:
            self._keep_own_name(child)
        for child, after in pairwise(node.children):
            name = after.named_children[0] if after.type == "ERROR" and after.named_child_count else after
            if child.type == "function" and name.type == "identifier":
                self._names[child.id] = text(name), Lines(lines_of(child).first, lines_of(node).last)

    def fragment(self, node: Node, depth: int) -> None:
        """The word `function`, of interest where an error has named it."""
        if node.id in self._names:
            self._open(depth - 1, *self._names[node.id])
            self._faulty.add(len(self.functions) - 1)

    def assignment(self, node: Node, depth: int) -> None:
        """`a = value`, `a.x = value`, `a.x += value`."""
        if _interrupted(node):
            return
        target = path(node.child_by_field_name("left"))
        self._keep(node.child_by_field_name("right"), ".".join(target), node)
        self._update(node, target, *sorted(patterns(node)))

    def step(self, node: Node, depth: int) -> None:
        """`a.x++` and `a.x--`."""
        self._update(node, path(node.child_by_field_name("argument")), "counter")

    def function(self, node: Node, depth: int) -> None:
        """A function in any of its forms."""
        name, lines = self._names.get(node.id, ("", lines_of(node)))
        if node.type in {"function_declaration", "generator_function_declaration"}:
            name = name_in(node, "name")
        elif node.type == "method_definition":
            name = f".{name_in(node, 'name')}"
        if name:
            self._open(depth, name, lines)

    def call(self, node: Node, depth: int) -> None:
        """`f()` and `a.f()`. A function that is handed to another counts as called."""
        owner, arguments = self._scopes[-1].owner, node.child_by_field_name("arguments")
        for argument in arguments.named_children if arguments else ():
            if argument.type == "identifier":
                self.uses.add((owner, text(argument)))
        if name := callee(node):
            self.uses.add((owner, name))
            self._call(node, name)
            return
        target = path(node.child_by_field_name("function"))
        if target:
            self.uses.update({(owner, ".".join(target)), (owner, f".{target[-1]}")})
        if target[1:] and target[-1] == ANIMATE:
            self._note(Update(".".join(target[:-1]), "animation", lines_of(node), in_draw=False, outside=True))

    def condition(self, node: Node, depth: int) -> None:
        """`if`: what it decides stands in it, and so does its `else`."""
        self._decide(node, node.child_by_field_name("condition"))
        _, owner, outer = self._scopes[-1]
        self._scopes.append(Scope(depth, owner, outer or lines_of(node)))

    def choice(self, node: Node, depth: int) -> None:
        """`test ? a : b`."""
        self._decide(node, node.child_by_field_name("condition"))
        self.passed_on(node, depth)

    def switch(self, node: Node, depth: int) -> None:
        """`switch`: the value and the cases it is compared with decide."""
        body = node.child_by_field_name("body")
        cases = body.named_children if body else ()
        self._decide(node, node.child_by_field_name("value"), *(case.child_by_field_name("value") for case in cases))

    def _open(self, depth: int, name: str, lines: Lines) -> None:
        """Begin a function. What a faulty one seems to have inside comes after it."""
        owner = self._scopes[-1].owner
        self.functions.append(Owner(name, lines, self.functions[owner].owner if owner in self._faulty else owner))
        self._scopes.append(Scope(depth, len(self.functions) - 1))

    def _keep_own_name(self, node: Node) -> None:
        if node.type == "function_expression" and (name := name_in(node, "name")):
            self._keep(node, name, node)

    def _keep(self, value: Node | None, name: str, whole: Node) -> None:
        if value and not _interrupted(whole):
            self._names[value.id] = name, lines_of(whole)

    def _call(self, node: Node, name: str) -> None:
        if kind := KINDS.get(name):
            kept, lines = self._names.get(node.id, ("", lines_of(node)))
            self._note(Element(kind, name, kept, lines))
        self._note(Call(name, lines_of(node), in_draw=False))

    def _update(self, node: Node, target: tuple[str, ...], *patterns: Pattern) -> None:
        if not target[1:]:
            return
        sprite, name = ".".join(target[:-1]), target[-1]
        self._note(Update(sprite, name, lines_of(node), in_draw=False, outside=True))
        if name in MOVING:
            for pattern in patterns:
                self._note(Movement(pattern, sprite, name, self._scopes[-1].condition or lines_of(node)))

    def _decide(self, node: Node, *tests: Node | None) -> None:
        found = frozenset[Trigger]().union(*(triggers(test) for test in tests))
        self._note(Conditional(found, lines_of(node), in_draw=False))


def _interrupted(node: Node) -> bool:
    """Whether an assignment lacks its value: `a = ;` takes what stands on a later line for it."""
    return any(child.is_error for child in node.children) and node.children[0].end_point.row < node.end_point.row


HANDLERS: dict[str, Callable[[Reader, Node, int], None]] = {
    "variable_declarator": Reader.declaration,
    "pair": Reader.pair,
    "parenthesized_expression": Reader.passed_on,
    "expression_statement": Reader.statement,
    "assignment_expression": Reader.assignment,
    "augmented_assignment_expression": Reader.assignment,
    "update_expression": Reader.step,
    "ERROR": Reader.error,
    "function": Reader.fragment,
    "function_declaration": Reader.function,
    "generator_function_declaration": Reader.function,
    "function_expression": Reader.function,
    "generator_function": Reader.function,
    "arrow_function": Reader.function,
    "method_definition": Reader.function,
    "call_expression": Reader.call,
    "if_statement": Reader.condition,
    "ternary_expression": Reader.choice,
    "switch_statement": Reader.switch,
}
