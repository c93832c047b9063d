"""PocketSphinx: US English with the model that its package carries. No download, no punctuation, many errors."""

import io
from pathlib import Path

import numpy as np
import torch

from gsv.audio.io import Samples
from gsv.dataset.transcription.recogniser import RATE, Choice, Heard, Recogniser, one_line


def load(folders: tuple[Path, ...], choice: Choice, device: torch.device) -> Recogniser:
    """The recogniser; it needs no folders and runs on one core."""
    from pocketsphinx import Decoder, Segmenter, Vad

    decoder = Decoder(samprate=RATE, loglevel="FATAL")
    unadapted = decoder.get_cmn(False)

    def recognise(wave: Samples) -> Heard:
        pcm = np.rint(np.clip(wave, -1, 1) * 32767).astype(np.int16).tobytes()
        words = []
        # So that a clip says the same whatever was heard before.
        decoder.set_cmn(unadapted)
        # Given silence the decoder makes words up, so it only hears what sounds like speech.
        segmenter = Segmenter(sample_rate=RATE, vad_mode=Vad.LOOSE)
        # It gives out what is spoken to the very end only if less than a whole frame is left then.
        if not len(pcm) % segmenter.frame_bytes:
            pcm = pcm[:-2]
        for speech in segmenter.segment(io.BytesIO(pcm)):
            decoder.start_utt()
            decoder.process_raw(speech.pcm, full_utt=True)
            decoder.end_utt()
            best = decoder.hyp()
            if best is not None:
                words.append(best.hypstr)
        return Heard(one_line(" ".join(words)), choice.language)

    return recognise
