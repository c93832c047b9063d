"""RVC-Boss/GPT-SoVITS, from a checkout."""

from official import Official
from worker import serve

if __name__ == "__main__":
    serve(Official)
