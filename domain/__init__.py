"""The words of the house: events, items, users, slates, decisions; ids, clock, errors.

Standard library only. Nothing here knows how a thing is stored, learned or served.
"""
