"""The words of Game Lab that a reading looks for."""

from __future__ import annotations

from lib.assessment.program.model import Kind

CREATE = "createSprite"
TEXT = "text"
BACKGROUND = "background"
RANDOM = "randomNumber"
DRAW = "draw"
ANIMATE = "setAnimation"
SHAPES = frozenset({"circle", "ellipse", "quad", "rect", "regularPolygon", "shape", "triangle"})
MOVING = frozenset({"x", "y", "velocityX", "velocityY", "rotation"})
VELOCITY = frozenset({"velocityX", "velocityY"})
INPUT = frozenset(
    {
        "keyDown",
        "keyWentDown",
        "keyWentUp",
        "mouseDidMove",
        "mouseDown",
        "mouseIsOver",
        "mousePressedOver",
        "mouseWentDown",
        "mouseWentUp",
    }
)
KINDS: dict[str, Kind] = {
    CREATE: "sprite",
    TEXT: "text",
    BACKGROUND: "background",
    **dict.fromkeys(SHAPES, "shape"),
}
