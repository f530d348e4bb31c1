"""Words that everyone uses: ids, time, errors, who is calling, pages. No I/O and no framework."""
