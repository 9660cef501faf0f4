"""Telling another system who crossed a band: collected in an outbox, delivered signed, retried."""
