"""What to pay: the value of an impression, the landscape of prices, shading, and planning.

Pure and synchronous, arrays in and arrays out; the bundle family is `bidding`.
"""
