"""`python -m reference_router`."""

import sys

from reference_router.cli import main

if __name__ == "__main__":
    sys.exit(main())
