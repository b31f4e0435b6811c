"""The benchmark a user can run: `bin/bench.sh`. README.md says what its figures mean."""
