"""The models inside the wheel, from data to card."""
