"""The program on one machine: the unit, and the site in a real nginx in front of the real server."""
