"""Task-based REST API with emotion control: python api.py --model_dir ./checkpoints --port 8000."""

import sys

from gsv.cli import main

if __name__ == "__main__":
    main(["serve", "indextts", *sys.argv[1:]])
