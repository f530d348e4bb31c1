"""Notifications: what people are told, in their inbox, by e-mail and by webhook, as each of them chooses."""
