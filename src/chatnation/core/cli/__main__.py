"""`python -m chatnation.core.cli`, for where the script `chatnation` is not on the path."""

from chatnation.core.cli import main

main(prog_name="chatnation")
