"""Floor 0: errors, settings and clocks. Imports nothing of ours."""
