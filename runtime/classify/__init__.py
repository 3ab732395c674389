"""From samples to windows, logits and ranked genres; and the proof that it is right here."""
