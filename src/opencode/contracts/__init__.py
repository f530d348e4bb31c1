"""What modules say to each other: events and Protocols, one file a speaker. Imports only the kernel."""
