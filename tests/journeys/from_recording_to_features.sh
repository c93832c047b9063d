#!/usr/bin/env bash
# From a long noisy recording to features that can be trained on, as a user types it, each step judged by what is known:
#     from_recording_to_features.sh CLIPS WORK
# CLIPS is a folder of wav files of read English speech, WORK a folder to work in. PYTHON names the interpreter.
set -euo pipefail
clips=$1
work=$2
home=$work/home
python=${PYTHON:-python}
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)

judge() { "$python" "$here/judge.py" "$@"; }
gsv() { "$python" -m gsv.cli --home "$home" "$@"; }

# In a loud place. The noise is above the default threshold, and too loud for a rough recogniser.
judge record "$work/loud" "$clips" 10
gsv slice "$work/loud/recording" -o "$work/loud/slices" --threshold -28 --plot
judge cuts "$work/loud"
gsv denoise "$work/loud/slices" -o "$work/loud/denoised"
judge noise "$work/loud" 6

# In a quiet one, where there is little to gain and more to lose.
work=$work/quiet
judge record "$work" "$clips" 30
gsv slice "$work/recording" -o "$work/slices"
judge cuts "$work"
gsv denoise "$work/slices" -o "$work/denoised"
judge noise "$work" 1

gsv transcribe "$work/denoised" -o "$work/lists" --model pocketsphinx --language en
judge words "$work/lists/denoised.list" "$here/ljspeech.list"
gsv list check "$work/lists/denoised.list" --audio "$work/denoised"

"$python" "$project/tools/init_weights.py" "$home/pretrained_models" --clips "$work/denoised"
gsv prepare "$work/lists/denoised.list" --audio "$work/denoised" --exp reader
