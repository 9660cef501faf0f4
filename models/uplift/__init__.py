"""Uplift: what contacting somebody changes, how sure that is, and whom it pays to contact.

Knows nothing of how effects were learned or of who sends anything.
"""
