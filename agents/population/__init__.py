"""Populations: households and their possible plans, from files, arrays or meters, or generated.

This folder reads and writes the formats of docs/data.md, and generates households.
`agents/planning` decides which plan a household selects.
"""
