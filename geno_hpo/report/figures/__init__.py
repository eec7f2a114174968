"""Figures from plain results: each function gives a `Figure`, or None without anything to draw."""
