"""Tests of lib.assessment.measure."""
