"""Where calls are counted against limits by the minute: in this process, or in Redis for all of them."""
