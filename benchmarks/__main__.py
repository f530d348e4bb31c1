"""`python -m benchmarks`."""

import sys

from benchmarks.collaboration.command import main

sys.exit(main())
