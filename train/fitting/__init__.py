"""One training loop, and a learner for each framework."""
