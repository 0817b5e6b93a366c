"""Load profiles that synthetic households are made of."""
