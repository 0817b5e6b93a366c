"""Figures: first the numbers of a picture as a table, then the picture itself."""
