"""What the AI gateway's parts take."""
