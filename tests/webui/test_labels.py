"""The model of a list that is being corrected: nothing in it knows of a page."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from gsv.dataset.listing import read_list
from gsv.errors import AudioError, InputError, ListError
from gsv.webui.labels import Labels, parted

RATE = 16000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A list of four clips of 1, 2, 3 and 4 seconds, each a constant of its own."""
    lines = []
    for number, text in enumerate(("One.", "Two is longer, much longer.", "三个。四个。", "Four."), start=1):
        name = f"clip{number}.wav"
        soundfile.write(tmp_path / name, np.full(RATE * number, number / 10), RATE)
        lines.append(f"{name}|{'ann' if number != 3 else '王'}|{'en' if number != 3 else 'zh'}|{text}\n")
    (tmp_path / "voice.list").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def opened(folder: Path) -> Labels:
    return Labels(folder / "voice.list", lambda written: Path("/nowhere") / written)


def texts(labels: Labels) -> list[str]:
    return [row.line.text for row in labels.rows]


def test_pages_show_rows_in_order_and_a_number_beyond_the_end_means_the_last(folder: Path) -> None:
    labels = opened(folder)
    page = labels.page(2, 3)
    assert (page.number, page.pages, page.found, page.places) == (2, 2, 4, (4,))
    assert labels.page(99, 3) == page
    assert labels.page(-1, 3).number == 1


def test_searching_looks_into_text_speaker_and_path_and_keeps_the_places(folder: Path) -> None:
    labels = opened(folder)
    assert labels.page(1, 10, "LONGER").places == (2,)
    assert labels.page(1, 10, "王").places == (3,)
    assert labels.page(1, 10, "clip4").places == (4,)
    assert labels.page(1, 10, "no such").rows == ()


def test_a_row_keeps_its_number_while_others_go(folder: Path) -> None:
    labels = opened(folder)
    last = labels.rows[-1]
    labels.delete([labels.rows[0].id])
    labels.edit(last.id, text="Fourth.")
    assert texts(labels)[-1] == "Fourth."
    with pytest.raises(InputError, match="not in the list any more"):
        labels.edit(1, text="Gone.")


def test_the_list_changes_only_when_saved_and_what_it_was_is_kept(folder: Path) -> None:
    labels = opened(folder)
    before = labels.path.read_bytes()
    labels.edit(labels.rows[0].id, text="  Won.\nOne.  ", speaker="bob", language="zh")
    assert labels.path.read_bytes() == before
    backup = labels.save()
    assert backup is not None and backup.read_bytes() == before
    first = read_list(labels.path)[0]
    assert (first.text, first.speaker, first.language) == ("Won. One.", "bob", "zh")
    assert not labels.changed
    assert labels.save() is None


def test_every_save_has_a_backup_of_its_own(folder: Path) -> None:
    labels = opened(folder)
    backups = []
    for text in ("A.", "B.", "C."):
        labels.edit(labels.rows[0].id, text=text)
        backups.append(labels.save())
    assert len(set(backups)) == 3
    assert [read_list(path)[0].text for path in backups if path] == ["One.", "A.", "B."]


def test_a_text_that_would_break_the_list_is_refused_or_made_harmless(folder: Path) -> None:
    labels = opened(folder)
    row = labels.rows[0].id
    with pytest.raises(InputError, match="parts its fields"):
        labels.edit(row, speaker="a|b")
    labels.edit(row, text="a | b\r\nc")
    labels.save()
    assert read_list(labels.path)[0].text == "a | b c"


def test_a_row_without_text_can_be_opened_and_is_named_when_saved(folder: Path) -> None:
    path = folder / "voice.list"
    path.write_text(path.read_text(encoding="utf-8").replace("|One.", "|"), encoding="utf-8")
    labels = opened(folder)
    labels.edit(labels.rows[1].id, text="Two.")
    with pytest.raises(ListError, match="Row 1 has no text"):
        labels.save()
    labels.edit(labels.rows[0].id, text="One again.")
    assert labels.save()


def test_a_list_that_somebody_else_has_changed_is_not_written_over(folder: Path) -> None:
    labels = opened(folder)
    labels.edit(labels.rows[0].id, text="Mine.")
    with labels.path.open("a", encoding="utf-8") as file:
        file.write("clip1.wav|ann|en|Theirs.\n")
    theirs = labels.path.read_bytes()
    with pytest.raises(ListError, match="changed by another program"):
        labels.save()
    assert labels.path.read_bytes() == theirs
    assert read_list(folder / "voice.edited.list")[0].text == "Mine."
    labels.reload()
    assert texts(labels)[-1] == "Theirs."


def test_opening_a_list_again_leaves_rows_and_changes_as_they_are(folder: Path) -> None:
    labels = opened(folder)
    labels.edit(1, text="Mine.")
    rows = labels.rows
    labels.refresh()
    assert labels.rows == rows
    assert labels.undo()
    with labels.path.open("a", encoding="utf-8") as file:
        file.write("clip1.wav|ann|en|Theirs.\n")
    labels.refresh()
    assert texts(labels)[-1] == "Theirs."


def test_changes_that_were_not_saved_are_there_again_after_a_crash_and_can_be_taken_back(folder: Path) -> None:
    opened(folder).edit(1, text="Not saved.")
    again = opened(folder)
    assert again.restored
    assert texts(again)[0] == "Not saved."
    assert again.undo()
    assert texts(again)[0] == "One."
    assert not again.changed
    assert not opened(folder).restored


def test_two_programs_that_have_a_list_open_see_each_others_changes(folder: Path) -> None:
    here, there = opened(folder), opened(folder)
    first, second = here.rows[0].id, there.rows[1].id
    here.edit(first, text="Uno.")
    # Without having looked in between.
    there.edit(second, text="Dos.")
    here.follow()
    assert texts(here) == texts(there) == ["Uno.", "Dos.", "三个。四个。", "Four."]
    assert [row.id for row in here.rows] == [1, 2, 3, 4], "they are the same rows"
    there.delete([second])
    with pytest.raises(InputError, match="not in the list any more"):
        here.edit(here.rows[1].id, text="Zwei.")
    seen = here.revision
    there.save()
    here.follow()
    assert not here.changed and not there.changed and here.revision > seen
    assert [line.text for line in read_list(folder / "voice.list")] == texts(here) == ["Uno.", "三个。四个。", "Four."]
    assert list(folder.glob(".voice.list.draft")) == []
    here.undo()
    there.follow()
    assert texts(there) == texts(here) == ["Uno.", "Dos.", "三个。四个。", "Four."]


def test_what_two_programs_change_at_once_is_all_there(folder: Path) -> None:
    write = (
        "import sys; from pathlib import Path; from gsv.webui.labels import Labels\n"
        "labels = Labels(Path(sys.argv[1]), Path)\n"
        "for number in range(40): labels.edit(int(sys.argv[2]), text=f'{sys.argv[2]} {number}')\n"
    )
    command = [sys.executable, "-c", write, str(folder / "voice.list")]
    writers = [subprocess.Popen([*command, str(row)]) for row in (1, 2)]
    assert [writer.wait(240) for writer in writers] == [0, 0]
    assert texts(opened(folder))[:2] == ["1 39", "2 39"]


def test_a_draft_of_another_state_of_the_list_is_set_aside_not_used(folder: Path) -> None:
    opened(folder).edit(1, text="Not saved.")
    with (folder / "voice.list").open("a", encoding="utf-8") as file:
        file.write("clip1.wav|ann|en|Theirs.\n")
    assert texts(opened(folder))[0] == "One."
    assert "Not saved." in (folder / ".voice.list.old").read_text(encoding="utf-8")


def test_splitting_writes_two_clips_that_make_up_the_old_one_which_stays(folder: Path) -> None:
    labels = opened(folder)
    old = (folder / "clip2.wav").read_bytes()
    first, second = labels.split(labels.rows[1].id, 0.75)
    assert [row.id for row in labels.rows][1:3] == [first, second]
    waves = [soundfile.read(labels.audio(row))[0] for row in (first, second)]
    assert [len(wave) for wave in waves] == [int(0.75 * RATE), int(1.25 * RATE)]
    np.testing.assert_allclose(np.concatenate(waves), soundfile.read(folder / "clip2.wav")[0], atol=1e-4)
    assert (folder / "clip2.wav").read_bytes() == old
    assert texts(labels)[1:3] == ["Two is longer,", "much longer."]
    assert labels.rows[1].line.audio == "clip2_1.wav"


def test_splitting_at_the_caret_parts_the_text_there(folder: Path) -> None:
    labels = opened(folder)
    labels.split(labels.rows[1].id, 1.0, caret=3)
    assert texts(labels)[1:3] == ["Two", "is longer, much longer."]


def test_no_clip_is_ever_written_over(folder: Path) -> None:
    labels = opened(folder)
    (folder / "clip1_1.wav").write_bytes(b"mine")
    labels.split(labels.rows[0].id, 0.5)
    labels.undo()
    labels.split(labels.rows[0].id, 0.4)
    assert (folder / "clip1_1.wav").read_bytes() == b"mine"
    assert {path.name for path in folder.glob("clip1_*")} == {f"clip1_{number}.wav" for number in range(1, 6)}


def test_splitting_outside_the_clip_is_refused(folder: Path) -> None:
    labels = opened(folder)
    for seconds in (0.0, 1.0, -3.0, float("nan")):
        with pytest.raises(InputError, match="cannot be split"):
            labels.split(labels.rows[0].id, seconds)
    assert len(list(folder.glob("*.wav"))) == 4


def test_merging_joins_a_row_with_the_next_one(folder: Path) -> None:
    labels = opened(folder)
    new = labels.merge(labels.rows[0].id, pause=0.5)
    assert labels.rows[0].id == new
    assert texts(labels)[0] == "One. Two is longer, much longer."
    wave, rate = soundfile.read(labels.audio(new))
    assert (len(wave), rate) == (int(3.5 * RATE), RATE)
    assert not wave[RATE : RATE + RATE // 2].any()


def test_clips_of_different_rates_and_channels_are_merged_at_the_higher_rate(folder: Path) -> None:
    soundfile.write(folder / "clip2.wav", np.full((2 * 48000, 2), 0.2), 48000)
    labels = opened(folder)
    info = soundfile.info(labels.audio(labels.merge(labels.rows[0].id)))
    assert (info.samplerate, info.channels) == (48000, 1)
    assert info.duration == pytest.approx(3.0, abs=0.01)


def test_rows_of_two_speakers_and_the_last_row_are_not_merged(folder: Path) -> None:
    labels = opened(folder)
    with pytest.raises(InputError, match="speakers 'ann' and '王'"):
        labels.merge(labels.rows[1].id)
    with pytest.raises(InputError, match="no next one"):
        labels.merge(labels.rows[-1].id)


def test_texts_without_blanks_are_merged_without_one(folder: Path) -> None:
    labels = opened(folder)
    labels.edit(labels.rows[3].id, language="zh", speaker="王", text="四")
    labels.merge(labels.rows[2].id)
    assert texts(labels)[-1] == "三个。四个。四"


def test_undo_takes_back_one_change_at_a_time_back_to_the_beginning(folder: Path) -> None:
    labels = opened(folder)
    rows = labels.rows
    labels.delete([rows[0].id, rows[1].id])
    labels.edit(rows[2].id, text="三")
    assert labels.undo() and texts(labels)[0] == "三个。四个。"
    assert labels.undo() and labels.rows == rows
    assert not labels.undo()
    assert not labels.changed


def test_a_missing_clip_is_told_when_it_is_needed(folder: Path) -> None:
    (folder / "clip1.wav").unlink()
    labels = opened(folder)
    with pytest.raises(AudioError, match=r"no sound file .*clip1\.wav"):
        labels.split(labels.rows[0].id, 0.5)


def test_ten_thousand_rows_are_paged_edited_and_saved(folder: Path) -> None:
    path = folder / "voice.list"
    path.write_text("".join(f"clip1.wav|ann|en|Sentence {i}.\n" for i in range(10_000)), encoding="utf-8")
    labels = opened(folder)
    page = labels.page(500, 20)
    assert page.rows[0].line.text == "Sentence 9980."
    labels.edit(page.rows[0].id, text="Changed.")
    labels.save()
    assert read_list(path)[9980].text == "Changed."


@pytest.mark.parametrize(
    ("text", "share", "expected"),
    [
        ("你好世界。再见朋友", 0.5, ("你好世界。", "再见朋友")),
        ("One two three four", 0.5, ("One two", "three four")),
        ("无标点的一句话很长", 0.5, ("无标点的", "一句话很长")),
        ("", 0.5, ("", "")),
    ],
)
def test_a_text_is_parted_near_the_time_at_a_mark_or_blank(text: str, share: float, expected: tuple[str, str]) -> None:
    assert parted(text, share) == expected
