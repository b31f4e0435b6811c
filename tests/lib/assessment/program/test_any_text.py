"""Any text has its features, comments and labels, and soon."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.assessment.labels import EXTENSIVE, LABELS
from lib.assessment.program import Trees, features, is_blank, without_comments
from lib.assessment.program.parse import HEAD

TREES = Trees.load()
SECONDS = 10  # of the processor, for 1 MB of junk
PROGRAM = """// A cat, a dog and a bird
var cat = createSprite(200, 200);
cat.setAnimation("cat");
let dog = createSprite(50, 300), lives = 3;
dog.velocityX = -2;
const bird = createSprite(randomNumber(0, 400), 20); /* flies
away */
var speed;

function draw() {
  background(`rgb(${lives * 50}, 0, ${255 / lives})`);
  rect(10, 10, 50, 20);
  if (keyDown("up") && cat.y > 0) {
    cat.y = cat.y - 5;
  } else if (keyDown("down"))
    cat.y += 5;
  switch (lives) {
    case 0: text('Game "over"', 100, 100); break;
    default: text(lives > 1 ? "lives" : "life", 5, 5);
  }
  for (var i = 0; i < lives; i++) { ellipse(20 * i, 390, 10); }
  fly();
  if (cat.isTouching(dog)) { lives--; dog.x = randomNumber(0, 400); }
  drawSprites();
}

const fly = () => { bird.rotation++; if (/^b/.test(bird.name)) bird.y = bird.y + randomNumber(-1, 1); };
"""
WORDS = [
    *("function draw() {", "}", "if (", ")", "{", "(", "[", "]", "else", "switch (a) { case", "=>", "`", "${", '"'),
    *("var cat = createSprite(1, 2);", "cat.x = cat.x + 1;", "cat.setAnimation(", "rect(1);", "text(", "=", "+", "?"),
    *("/*", "*/", "//", "/", "\n", "\r\n", "\r", "<a>", "class A {", "a.b", "...", "\0", "\ud800", "é", "\u2028", ";"),
    *("function", "draw", "f", "var", "for (;;)", "keyDown('a')", "&&", "!", "0", ":", ",", "async", "return", "#"),
]


def check(code: str) -> None:
    """Nothing is raised, each label is one of the four, and each line is in the program."""
    last = len(code.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    for pair in TREES.pairs():
        decision = TREES.decide(*pair, code)
        assert decision.label in LABELS
        for line in decision.evidence:
            numbers = [int(number) for number in re.findall(r"\d+", line.partition(":")[0])]
            assert numbers == sorted(set(numbers))
            assert 1 <= numbers[0] <= numbers[-1] <= last
    assert without_comments(code).count("\n") == code.count("\n")
    is_blank(code)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text(code: str):
    check(code)


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_any_words(words: list[str]):
    check(" ".join(words))


@settings(deadline=None)
@given(st.integers(0, len(PROGRAM)), st.integers(0, len(PROGRAM)))
def test_any_cut(one: int, other: int):
    start, end = sorted((one, other))
    check(PROGRAM[:start] + PROGRAM[end:])
    check(PROGRAM[start:end])


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(PROGRAM)), st.sampled_from(WORDS)), max_size=5))
def test_any_insertion(slips: list[tuple[int, str]]):
    code = PROGRAM
    for at, word in slips:
        code = code[:at] + word + code[at:]
    check(code)


def test_the_loss_of_one_letter_hides_little():
    at = [match.start() for match in re.finditer(r"[(){};,]", PROGRAM)]
    found = [features(PROGRAM[:place] + PROGRAM[place + 1 :]) for place in at]
    assert all(each.draw and each.draw.first == 10 and len(each.of_kind("sprite")) >= 2 for each in found)
    assert sum(any(update.in_draw for update in each.updates) for each in found) > 0.95 * len(at)


def times(piece: str, size: int = 1_000_000) -> str:
    """1 MB of it."""
    return piece * (size // len(piece))


def noise(letters: list[str]) -> str:
    """1 MB of them by chance, and the same each time."""
    return "".join(random.Random(4).choices(letters, k=1_000_000 // max(map(len, letters))))


PIECES = [
    *("(", "{", "[", "`${", '"', "a?", "a?b:", "a=>", "a.", "1+", "<a>", "\\", "\0", "\r", "\n", "if(", "[a,{b:"),
    *("function f( ", "function f(){f();", "/*", "/*a*/ ", "if(a)b;else ", "a.x=", "a.setAnimation().", "rect();\n"),
]
JUNK = {
    **{piece: times(piece) for piece in PIECES},
    "nested calls": times("f(", 400_000) + ")" * 200_000,
    "nested choices": "(" * 100_000 + "a" + "?b:c)()" * 100_000,
    "nested names": "({[" * 25_000 + "a" + "]:b})" * 25_000,
    "nested patterns": "var {a = () => {" * 10_000 + "}} = b;" * 10_000,
    "bytes": noise([chr(number) for number in range(256)]),
    "any letters": noise([chr(number) for number in range(0x10000)]),
    "words": noise(WORDS),
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=[re.sub(r"\W", "_", name) for name in JUNK])
def test_a_megabyte(junk: str):
    started = time.process_time()
    assert TREES.decide("csd3-2023-L14", "Position and Movement", junk).label in LABELS
    without_comments(junk)
    assert time.process_time() - started < SECONDS


def test_the_head_of_what_is_too_long_is_read():
    line = "rect(1); // one\n"
    code = line * 40_000
    assert len(features(code).elements) == HEAD // len(line)
    assert without_comments(code).startswith("rect(1); \n" * (HEAD // len(line)))
    assert len(features(line * 5_000).elements) == 5_000


def test_the_same_text_has_the_same_features():
    assert features(PROGRAM) == features(PROGRAM)
    assert features(PROGRAM.replace("\n", "\r\n")) == features(PROGRAM)


def test_a_program_of_200_lines_takes_no_time():
    code = "\n".join([PROGRAM] * 7)
    assert code.count("\n") > 180
    features(code)
    best = min(_timed(code) for _ in range(5))
    assert best < 0.1  # it takes some 5 ms


def _timed(code: str) -> float:
    started = time.process_time()
    decision = TREES.decide("csd3-2023-L18", "Algorithms and Control - Conditionals", code)
    assert decision.label == EXTENSIVE
    return time.process_time() - started


def test_the_parser_waits_for_the_first_program():
    program = """import sys
from lib.assessment.program import Trees, features
Trees.load()
assert "tree_sitter" not in sys.modules
features("")
assert "tree_sitter" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
