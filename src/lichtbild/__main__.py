"""`python -m lichtbild` is the command `lichtbild`."""

from .apps.cli.main import main

main()
