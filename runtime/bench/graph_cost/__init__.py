"""What a graph should cost: multiply-accumulates, and this machine's matrix products."""
