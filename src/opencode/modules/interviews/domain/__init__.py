"""The rules of an interview, pure: time, ids and chance come in as arguments."""
