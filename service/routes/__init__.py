"""The routes, one module a subject; each ends in its own ROUTES, gathered in the table.

Knows nothing of how requests arrive: see service.dispatch.
"""
