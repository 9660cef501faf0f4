"""What is popular and rising just now, as the log writer last published it for all workers.

Fetches the small shared value on a clock; a store that does not answer leaves the last one
in place. Knows nothing of how trends are counted.
"""
