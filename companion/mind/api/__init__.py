"""The character service on the wire: messages, routes, the client and its limits."""
