"""Calls a function under a seed: `call.py FILE.py:FUNCTION SEED CONFIG` or `call.py PAYLOAD SEED`."""

import sys

if __name__ == "__main__":
    from seedwise_guest.process.function_calls import main

    main(sys.argv[1:])
