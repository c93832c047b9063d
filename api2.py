"""One endpoint with a default reference: python api2.py -dr 123.wav -dt "..." -dl zh."""

import sys

from gsv.cli import main

if __name__ == "__main__":
    main(["serve", "api2", *sys.argv[1:]])
