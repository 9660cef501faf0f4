"""A simulated exchange: sells made-up impressions to the running service over real OpenRTB.

Supply, prices, clicks and purchases are drawn beforehand and their truth is known; everything in
between is real: requests, answers, notices, events, money. Knows nothing of how bids are made.
"""
