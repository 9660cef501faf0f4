"""The sweep: everybody's churn score as of one time, with reasons, bands and what is at stake."""
