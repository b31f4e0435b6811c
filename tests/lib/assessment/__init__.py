"""Tests of lib.assessment."""
