"""The room that thinks: pure and synchronous, arrays in and arrays out.

Knows nothing of stores, HTTP or training; torch is allowed in `net.py` modules only.
"""
