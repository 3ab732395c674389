"""From a trained run to a compressed, carded and verified artifact."""
