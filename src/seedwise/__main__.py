"""`python -m seedwise`: the same as the command `seedwise`."""

from .cli import main

if __name__ == "__main__":
    main()
