"""Tests of lib.assessment.report."""
