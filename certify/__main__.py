"""`python -m certify` is `certify`."""

import sys

from certify.cli import main

sys.exit(main())
