"""Tests of the dialects: pure functions, so tables of what goes in and what comes out."""
