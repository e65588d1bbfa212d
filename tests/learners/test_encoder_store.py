"""A store of encoders: each appears whole or not at all, once, however many put it there at a time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from tiny_encoder import WORDS, write_encoder, write_json

from newsclf.errors import BundleError, OutputError
from newsclf.learners.encoder_files import encoder_files
from newsclf.learners.encoder_store import BESIDE, INSIDE, encoder_of, put, short, stored
from newsclf.learners.protocol import Parts


@pytest.fixture
def files(tmp_path):
    return encoder_files(write_encoder(tmp_path / "tiny"))


def parts(files, home=None):
    return Parts({}, {}, {"encoder": files.identity}, home)


def test_what_is_stored_is_the_encoder_and_nothing_beside_it(files, tmp_path):
    (files.folder / "pytorch_model.bin").write_bytes(b"\x80\x04")
    place = stored(files, tmp_path / "models")
    assert place == tmp_path / "models" / BESIDE / files.identity[:16]
    found = encoder_files(place)
    assert (found.fingerprint, found.tokens, found.pooling, found.normalise) == (files.fingerprint, files.tokens, files.pooling, files.normalise)
    assert sorted(found.names) == sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())
    assert [path.name for path in place.parent.iterdir()] == [place.name]


def test_a_users_own_folder_is_copied_so_that_writing_into_it_does_not_reach_the_store(files, tmp_path):
    place = stored(files, tmp_path)
    with (files.folder / "model.safetensors").open("r+b") as stream:
        stream.seek(-4, os.SEEK_END)
        stream.write(b"\0\0\0\0")
    assert encoder_files(place).fingerprint == files.fingerprint != encoder_files(files.folder).fingerprint


def test_a_hubs_files_and_those_of_a_store_are_linked_and_take_no_room(files, tmp_path):
    snapshot, blobs = tmp_path / "snapshot", tmp_path / "blobs"
    files.folder.rename(blobs)
    for name in sorted(path.relative_to(blobs) for path in blobs.rglob("*") if path.is_file()):
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        (snapshot / name).symlink_to(blobs / name)
    place = stored(encoder_files(snapshot), tmp_path / "models")
    put(encoder_files(place), tmp_path / "news" / INSIDE, workshop=tmp_path)
    for folder in (place, tmp_path / "news" / INSIDE):
        weights = folder / "model.safetensors"
        assert not weights.is_symlink()
        assert weights.samefile(blobs / "model.safetensors")


def test_many_at_once_leave_one_whole_encoder(files, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        places = {future.result() for future in [pool.submit(stored, files, tmp_path) for _ in range(24)]}
    (place,) = places
    assert encoder_files(place).fingerprint == files.fingerprint
    assert list(place.parent.iterdir()) == [place]


def test_a_full_disk_is_told_and_leaves_nothing(files, disk):
    place = disk("size=16k")
    with pytest.raises(OutputError, match="the encoder cannot be written here: No space left on device"):
        put(files, place / "goal", workshop=place)
    assert list(place.iterdir()) == []


def test_an_encoder_that_changed_since_it_was_opened_is_not_stored(files, tmp_path):
    write_encoder(files.folder, words=[*WORDS, "harbour"])
    with pytest.raises(OutputError, match="has changed since it was opened"):
        stored(files, tmp_path / "models")
    assert list((tmp_path / "models" / BESIDE).iterdir()) == []


@pytest.mark.parametrize("place", [INSIDE, f"../{BESIDE}", f"../../{BESIDE}", f"../../../../{BESIDE}"])
def test_an_encoder_is_found_inside_its_model_or_in_a_store_beside_or_above_it(files, tmp_path, place):
    home = tmp_path / "models" / "runs" / "news" / "seed-1" / "bundle"
    home.mkdir(parents=True)
    goal = (home / place).resolve() / ("" if place == INSIDE else short(files.identity))
    put(files, goal, workshop=tmp_path)
    assert encoder_of(parts(files, home), "nowhere").folder == goal
    assert encoder_of(parts(files, home), str(files.folder)).folder == goal  # before what is named


def test_a_store_too_far_above_is_not_looked_into(files, tmp_path):
    home = tmp_path / "1" / "2" / "3" / "4" / "bundle"
    home.mkdir(parents=True)
    stored(files, tmp_path)
    with pytest.raises(BundleError, match="is not here"):
        encoder_of(parts(files, home), "nowhere")


def test_where_there_is_no_bundle_the_named_one_is_taken_or_refused(files, tmp_path):
    assert encoder_of(parts(files), str(files.folder)).folder == files.folder
    other = write_encoder(tmp_path / "other", words=[*WORDS, "harbour"])
    with pytest.raises(BundleError, match=r"other: this encoder is another one than the model was made with; get that one, or train again\.$"):
        encoder_of(parts(files), str(other))


@pytest.mark.parametrize("external", [{}, {"encoder": ""}, {"encoder": "../../etc/passwd"}, {"encoder": "A" * 64}])
def test_parts_must_say_which_encoder_it_is(tmp_path, external):
    with pytest.raises(ValueError, match="must give the fingerprint of its encoder"):
        encoder_of(Parts({}, {}, external, tmp_path), "nowhere")


def test_an_encoder_that_reads_further_is_another_one(files, tmp_path):
    further = write_encoder(tmp_path / "further")
    write_json(further / "sentence_bert_config.json", {"max_seq_length": 20})
    assert encoder_files(further).fingerprint == files.fingerprint  # vectors of short texts are the same
    assert stored(files, tmp_path) != stored(encoder_files(further), tmp_path)
    with pytest.raises(BundleError, match="another one than the model was made with"):
        encoder_of(parts(files), str(further))


def test_the_fingerprint_of_an_older_newsclf_is_still_understood(files):
    assert encoder_of(Parts({}, {}, {"encoder": files.base}), str(files.folder)).folder == files.folder
