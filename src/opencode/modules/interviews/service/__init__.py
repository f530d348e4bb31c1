"""What people do in an interview. One public method is one thing that a person can do, and one transaction."""
