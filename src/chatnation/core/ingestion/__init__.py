"""From a request to the stream: decode, check, limit, account for."""
