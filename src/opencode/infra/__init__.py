"""Ways of doing I/O: database, events, jobs, pub/sub, HTTP, sockets, secrets, metrics. No word of the product."""
