"""The intent family: how likely the visitor in front of us is about to buy, event by event.

Pure and synchronous, arrays in and arrays out. Knows nothing of stores, requests or fits.
"""
