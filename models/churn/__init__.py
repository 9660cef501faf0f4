"""The churn family: how likely each customer is to leave, why, and whether contact would pay.

Pure and synchronous, arrays in and arrays out. Knows nothing of stores, requests or fits.
"""
