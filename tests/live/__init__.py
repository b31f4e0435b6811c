"""What a caller of a deployment gets. `bin/live-test` runs these; an ordinary run leaves them out."""
