"""Tests of lib.base."""
