"""The command `coflex`: parsing and printing only."""
