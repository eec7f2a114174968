"""Files, catalogue entries and simulations → the frozen `Dataset` of integer codes."""
