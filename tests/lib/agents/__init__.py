"""Tests of lib.access."""
