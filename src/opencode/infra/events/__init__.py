"""The relay: carries events from the outbox to everyone who reacts to them, at least once, in order."""

from opencode.infra.events.relay import Reaction, Reactions, Relay

__all__ = ["Reaction", "Reactions", "Relay"]
