"""The servers that ours is measured beside, and how each of them is started."""
