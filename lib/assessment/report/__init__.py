"""What a measured lesson looks like: a page for people, JSON and CSV for programs."""

from lib.assessment.report.comparison import render_comparison
from lib.assessment.report.exports import as_csv, as_json
from lib.assessment.report.report import render

__all__ = ["as_csv", "as_json", "render", "render_comparison"]
