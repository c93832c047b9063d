"""HTTP and WebSocket interfaces: thin translations of each onto the one engine."""
