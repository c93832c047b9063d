"""HTTP synthesis API 3.0: python api_v2.py -a 127.0.0.1 -p 9880 -c GPT_SoVITS/configs/tts_infer.yaml."""

import sys

from gsv.cli import main

if __name__ == "__main__":
    main(["serve", "api-v2", *sys.argv[1:]])
