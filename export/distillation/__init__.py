"""Small networks that learn from a large one."""
