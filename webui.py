"""The WebUI: python webui.py [language]. The same as `gsv webui`."""

import sys

from gsv.cli import main

if __name__ == "__main__":
    main(["webui", *sys.argv[1:]])
