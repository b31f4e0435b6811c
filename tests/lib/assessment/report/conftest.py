"""What needs a browser is left out where there is none."""

from tests.browser import CHROMIUM

collect_ignore = [] if CHROMIUM else ["test_in_a_browser.py"]
