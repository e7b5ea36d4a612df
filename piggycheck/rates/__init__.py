"""Rates: errors along iterates to any number of digits, bounds on them, and how fast they decrease in the end.

Source: docs/theory/rates.md.
"""
