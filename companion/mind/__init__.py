"""The character: the service's wire format, its client, the session and its recent history."""
