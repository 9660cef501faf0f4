"""The wire of OpenRTB: bytes to an Auction and bids to bytes, with the rules in between."""
