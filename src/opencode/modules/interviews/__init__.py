"""The interview: its people and their states, its rules, runs, chat, what is watched, its events, and the export."""
