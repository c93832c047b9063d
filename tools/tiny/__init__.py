"""How the bundled voice is made, one idea a file; `tools/train_tiny.py` runs the steps."""
