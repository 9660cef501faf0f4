"""Simulated worlds whose truth is known; whatever rests on them is called simulated."""
