"""The recommend family: from a user's history to a score for every item, and why.

Pure and synchronous, arrays in and arrays out. Knows nothing of stores, requests or fits.
"""
