"""A simulated exchange: repeated auctions against competitors, with everything known afterwards.

Every figure of it is simulated; market prices may be drawn from real histograms.
"""
