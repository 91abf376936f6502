"""What capturing costs, as ratios within one run: `scripts/bench` prints them, no test judges."""
