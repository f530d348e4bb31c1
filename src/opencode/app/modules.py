"""Which modules are in the build. A plain list: nothing registers itself by being imported."""

MODULES = ("identity", "collaboration", "execution", "interviews", "marketplace", "notifications", "ai")
