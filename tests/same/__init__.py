"""One suite over every provider: whoever asks, in whatever dialect, gets the same from all of them."""
