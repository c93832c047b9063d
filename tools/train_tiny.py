"""Makes the bundled voice from nothing: python tools/train_tiny.py STEP [--work logs/tiny]
And judges the finished set: python tools/train_tiny.py --evaluate

Steps, in order; each goes on where it was stopped, and those with a gate print it:

    corpus     sentences, spoken by flite and festival
    content    the content encoder: phones, voicing and pitch, 50 times a second
    codes      its features for all clips, the codebook, and semantic tokens
    sovits     the half that speaks
    gpt        the half that makes tokens of text, on pairs of clips: a prompt and its continuation
    gates      the gates of all parts that are trained so far

    ship       the parts as the folder pretrained_models/gsv-tiny that gsv looks for
    evaluate   what that folder's voice must show, in sections that --sections can choose among; same as --evaluate
    restore    a new work folder that goes on from the set: then `corpus`, `codes`, ...

`sovits` and `gpt` need nothing of each other. Settings are in configs/tiny; how far the training has come, and what to
do next, is in configs/tiny/README.md. Needs Debian's flite, festival and their voices.
"""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from gsv.errors import GsvError
from gsv.paths import Project
from tiny.acceptance import Candidate, by_length, judge_endings, judge_likeness, judge_size, judge_words
from tiny.codes import TinyFiles, prepare_part, write_prompts, write_start
from tiny.content import ContentPlan, train_content
from tiny.corpus import CorpusPlan, make_corpus, new_sentences
from tiny.gates import Score, codes_gate, content_gate, human_gate, sovits_gate, tokens_gate
from tiny.halves import StepsPlan, train_tokens, train_voice
from tiny.harvard import SENTENCES
from tiny.humans import HELD, recordings
from tiny.references import Sources, references
from tiny.restoring import restore as from_set
from tiny.shipping import ship as write_set
from tiny.speed import judge_speed
from tiny.tuning import judge_tuning

CONFIGS = Path(__file__).resolve().parent.parent / "configs" / "tiny"
HUMANS = Path("../shared/data")
SECTIONS = ("size", "speed", "words", "likeness", "endings", "tuning")


def corpus(files: TinyFiles, given: argparse.Namespace) -> None:
    outcomes = make_corpus(files.corpus, CorpusPlan.read(CONFIGS / "corpus.yaml"), given.texts, given.workers)
    print(", ".join(f"{count} {state}" for state, count in Counter(outcome.state for outcome in outcomes).items()))
    for outcome in outcomes:
        if outcome.reason:
            print(f"{outcome.name}: {outcome.reason}", file=sys.stderr)


def content(files: TinyFiles, given: argparse.Namespace) -> None:
    plan = ContentPlan.read(CONFIGS / "content.yaml")
    humans = recordings(given.humans, CONFIGS / "humans.list")[:-HELD] if given.humans is not None else []
    train_content(files.corpus, files.work, CONFIGS / "hubert.json", plan, files.content, humans)
    judge_content(files, given)


def judge_content(files: TinyFiles, given: argparse.Namespace) -> None:
    for score in content_gate(files, CONFIGS):
        print(score)
    if given.humans is not None:
        print(*human_gate(files, CONFIGS, given.humans), sep="\n")


def codes(files: TinyFiles, given: argparse.Namespace) -> None:
    for part in ("train", "held"):
        print(*prepare_part(files, part, ("1a", "1b"), given.workers).steps, sep="\n")
    if not files.generator.exists():
        write_start(files, CONFIGS, StepsPlan.read(CONFIGS / "steps.yaml").seed)
    for part in ("train", "held"):
        print(*prepare_part(files, part, ("1c",), given.workers).steps, sep="\n")
    write_prompts(files)
    print(codes_gate(files))


def sovits(files: TinyFiles, given: argparse.Namespace) -> None:
    print(train_voice(files, StepsPlan.read(CONFIGS / "steps.yaml")))
    for score in sovits_gate(files, given.utterances):
        print(score)


def gpt(files: TinyFiles, given: argparse.Namespace) -> None:
    for report in train_tokens(files, StepsPlan.read(CONFIGS / "steps.yaml")):
        print(report)
    for score in tokens_gate(files, given.utterances):
        print(score)


def gates(files: TinyFiles, given: argparse.Namespace) -> None:
    judge_content(files, given)
    print(codes_gate(files))
    for score in (*sovits_gate(files, given.utterances), *tokens_gate(files, given.utterances)):
        print(score)


def evaluate(files: TinyFiles, given: argparse.Namespace) -> None:
    plan, listing = CorpusPlan.read(CONFIGS / "corpus.yaml"), CONFIGS / "humans.list"
    humans = given.humans or HUMANS
    candidate = Candidate(given.to, files.work / "acceptance")
    sources = Sources(files.work / "acceptance" / "sources", plan)
    spoken_in = references(files.corpus, plan, humans, listing)
    texts = SENTENCES[: given.sentences]
    lengths = by_length(new_sentences(files.corpus, given.texts), given.endings)
    sections: dict[str, Callable[[], Iterator[Score]]] = {
        "size": lambda: judge_size(candidate),
        "speed": lambda: judge_speed(candidate, spoken_in[0], texts[:10]),
        "words": lambda: judge_words(candidate, spoken_in, sources, texts),
        "likeness": lambda: judge_likeness(candidate, spoken_in, texts),
        "endings": lambda: judge_endings(candidate, spoken_in, sources, lengths),
        "tuning": lambda: judge_tuning(candidate, listing, humans, texts, candidate.folder / "pictures"),
    }
    for name in given.sections or sections:
        for score in sections[name]():
            print(score, flush=True)


def ship(files: TinyFiles, given: argparse.Namespace) -> None:
    for path in write_set(files, given.to, StepsPlan.read(CONFIGS / "steps.yaml").reference):
        print(f"{path.stat().st_size / 1e6:6.2f} MB  {path}")


def restore(files: TinyFiles, given: argparse.Namespace) -> None:
    from_set(files, CONFIGS, given.to)


STEPS: dict[str, Callable[[TinyFiles, argparse.Namespace], None]] = {
    step.__name__: step for step in (corpus, content, codes, sovits, gpt, gates, ship, evaluate, restore)
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=STEPS, nargs="?", help="see above")
    parser.add_argument("--evaluate", action="store_true", help="the step `evaluate`")
    parser.add_argument("--work", type=Path, default=Path("logs/tiny"), help="where everything is made")
    parser.add_argument("--texts", type=Path, default=Path("/usr/share/games/fortunes"), help="folder of texts")
    parser.add_argument("--workers", type=int, default=2, help="processes that make clips and features")
    parser.add_argument("--utterances", type=int, default=24, help="how many the gates of words listen to")
    parser.add_argument("--humans", type=Path, help="folder of the recordings that configs/tiny/humans.list names")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, help="of what to evaluate; all if not given")
    parser.add_argument("--sentences", type=int, default=len(SENTENCES), help="how many are said in every voice")
    parser.add_argument("--endings", type=int, default=200, help="of how many sentences the ends are judged")
    home = Project.default().root
    parser.add_argument("--to", type=lambda path: Project(Path(path)), default=Project(home), help="where the set is")
    given = parser.parse_args()
    if (given.step is None) != given.evaluate:
        parser.error("Name a step, or give --evaluate.")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        STEPS[given.step or "evaluate"](TinyFiles(given.work.resolve()), given)
    except GsvError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
