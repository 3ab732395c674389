"""Networks that learn step by step."""
