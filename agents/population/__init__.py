"""Populations: households and their possible plans, from files, from meters, or made up.

Reads and writes the formats of docs/data.md, and generates households. Which plan a household
selects is decided in agents/planning.
"""
