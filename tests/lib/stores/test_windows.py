"""The arithmetic of a sliding window, against the plain definition of when a hit fits."""

from math import floor

from hypothesis import given
from hypothesis import strategies as st

from lib.stores import Hit, Window

COUNTS = st.integers(0, 2000)


@given(previous=COUNTS, current=COUNTS, age=st.integers(0, 59_999), limit=st.integers(1, 1000), amount=COUNTS)
def test_the_wait_ends_when_the_hit_fits_and_not_before(previous, current, age, limit, amount):
    left = (60_000 - age) / 1000
    window = Window(previous, left if previous else 0.0, current, left + 60, 0.0)
    hit = Hit("k", limit, 60, amount)

    def fits_after(seconds: float) -> bool:
        if seconds < left:
            used = floor(previous * (left - seconds) / 60 + current)
        else:
            used = floor(current * max(60 + left - seconds, 0) / 60)
        return used + amount <= limit

    wait = window.wait(hit)
    if wait is None:
        assert amount > limit
        return
    assert fits_after(wait)
    assert wait == 0.0 or not fits_after(wait - 0.0021)
