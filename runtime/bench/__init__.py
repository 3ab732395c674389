"""What a model costs on this machine: size, speed, memory, cold start."""
