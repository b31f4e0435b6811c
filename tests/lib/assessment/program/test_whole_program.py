"""A program of many kinds of statements, and all that is found in it."""

from __future__ import annotations

from lib.assessment.program import features

PROGRAM = """\
// Two fish in a tank
var fish = createSprite(200, 200), depth = 3;
fish.setAnimation("fish");
var crab = createSprite(randomNumber(0, 400), 380);
crab.velocityX = -2;
var speed;

function draw() {
  background(rgb(0, depth * 20 + 1, 255));
  rect(0, 390, 400, 10);
  if (keyDown("up")) {
    fish.y = fish.y - 5;
  } else if (depth > 3)
    fish.y += 5;
  if (-1) text("Dive", 10, 10);
  swim();
}

function swim() {
  crab.x = randomNumber(0, 400);
  crab.rotation++;
  if (fish.x > 400) { fish.x = depth ? 0 : 1; }
}
"""


def test_everything_in_a_program_is_found():
    found = features(PROGRAM)
    assert [(each.kind, each.call, each.name, *each.lines) for each in found.elements] == [
        ("sprite", "createSprite", "fish", 2, 2),
        ("sprite", "createSprite", "crab", 4, 4),
        ("background", "background", "", 9, 9),
        ("shape", "rect", "", 10, 10),
        ("text", "text", "", 15, 15),
    ]
    assert [(each.sprite, each.property, *each.lines, each.in_draw, each.outside) for each in found.updates] == [
        ("fish", "animation", 3, 3, False, True),
        ("crab", "velocityX", 5, 5, False, True),
        ("fish", "y", 12, 12, True, False),
        ("fish", "y", 14, 14, True, False),
        ("crab", "x", 20, 20, True, False),
        ("crab", "rotation", 21, 21, True, False),
        ("fish", "x", 22, 22, True, False),
    ]
    assert [(each.pattern, each.sprite, each.property, *each.lines) for each in found.movements] == [
        ("counter", "fish", "y", 11, 14),
        ("counter", "fish", "y", 11, 14),
        ("random", "crab", "x", 20, 20),
        ("counter", "crab", "rotation", 21, 21),
    ]
    assert [(" ".join(sorted(each.triggers)), *each.lines, each.in_draw) for each in found.conditionals] == [
        ("user", 11, 14, True),
        ("variable", 13, 14, True),
        ("", 15, 15, True),
        ("object", 22, 22, True),
        ("variable", 22, 22, True),
    ]
    assert [(each.name, *each.lines, each.in_draw) for each in found.functions] == [("swim", 19, 23, False)]
    assert [(each.name, each.lines.first, each.in_draw) for each in found.calls] == [
        ("createSprite", 2, False),
        ("createSprite", 4, False),
        ("randomNumber", 4, False),
        ("background", 9, True),
        ("rgb", 9, True),
        ("rect", 10, True),
        ("keyDown", 11, True),
        ("text", 15, True),
        ("swim", 16, True),
        ("randomNumber", 20, True),
    ]
    assert found.draw == (8, 17)
