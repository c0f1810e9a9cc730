"""Calls a function under a seed: `call.py FILE.py:FUNCTION SEED CONFIG` or `call.py PAYLOAD SEED`."""

import sys

if __name__ == "__main__":
    from seedwise_guest.calling import main

    main(sys.argv[1:])
