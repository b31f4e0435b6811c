"""The house keeps itself: scripts, pins, floors and documents agree with the code."""
