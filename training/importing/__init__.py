"""Import: other people's files become events, items, users and labels of this house.

Everything an import writes goes through the same checks and the same store as the HTTP
door. Knows nothing of what is learned from it afterwards.
"""
