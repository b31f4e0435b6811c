"""Tests of lib.cli."""
