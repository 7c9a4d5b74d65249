"""Stories come out as they stand in the file, splits do not leak, and a download is the published file or an error."""

import csv
import hashlib
import http.server
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import tracemalloc
from collections import Counter

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from minilm import corpora
from minilm.config import ROOT
from minilm.corpora import Corpus, DownloadError, fetch, load_corpus, read_stories, side_of
from minilm.storyworld import version

MARK = "<|endoftext|>"
FOLDER_NAMES = ("train", "valid")


def stories_of(path, text) -> list[str]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read_stories(path))


def test_marks_separate_stories_and_blank_lines_inside_them_stay(tmp_path):
    text = f"{MARK}One.\n\nStill one.\n{MARK}\n\n \n{MARK}  Two.  {MARK}"
    assert stories_of(tmp_path / "a.txt", text) == ["One.\n\nStill one.", "Two."]


def test_without_marks_blank_lines_separate_stories(tmp_path):
    assert stories_of(tmp_path / "a.txt", "One.\nStill one.\n\nTwo.\n \t\n\nThree.\n \nFour.") == ["One.\nStill one.", "Two.", "Three.", "Four."]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_all_line_ends_are_read_as_newlines(tmp_path, end):
    assert stories_of(tmp_path / "a.txt", f"One.{end}Still one.{end}{end}Two.{end}") == ["One.\nStill one.", "Two."]


def test_a_byte_order_mark_is_no_part_of_the_first_story(tmp_path):
    assert stories_of(tmp_path / "a.txt", b"\xef\xbb\xbfOne.\n\nTwo.") == ["One.", "Two."]
    assert stories_of(tmp_path / "a.txt", b"\xef\xbb\xbf" + f"One.{MARK}\ufeffTwo.".encode()) == ["One.", "\ufeffTwo."]


def stories_by_whole_file(data: bytes) -> list[str]:
    text = data.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    parts = text.split(MARK) if MARK in text else re.split(r"\n\s*\n", text)
    return [part.strip() for part in parts if part.strip()]


# The pieces of a mark alone and the mark itself, all line ends, a wide letter and a wide blank: whatever a cut could tear.
PIECES = st.sampled_from(["a", "b.", "é", "🐈", " ", "\n", "\r\n", "\r", "\u2003", "<", "|>", "<|end", MARK, "\n\n", "\n \n"])


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, min_size=1, max_size=30).map("".join), st.integers(1, 20), st.booleans())
@example(f"a{MARK}b", 5, False)
@example("a\n\nb", 2, False)
@example("🐈\r\n\r\nb", 2, True)
def test_no_cut_between_two_reads_changes_the_stories(tmp_path, text, chunk, with_bom):
    data = b"\xef\xbb\xbf" * with_bom + text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpora, "CHUNK", chunk)
        assert stories_of(tmp_path / "a.txt", data) == stories_by_whole_file(data)


@pytest.mark.parametrize("before", ["", "\ufeffé", "né. " * 5000])
def test_a_file_that_is_not_utf8_is_refused_with_the_place(tmp_path, before):
    (tmp_path / "latin.txt").write_bytes(before.encode() + "café".encode("latin-1"))
    offset = len(before.encode()) + 3
    with pytest.raises(ValueError, match=f"latin.txt is not UTF-8 text: byte 0xe9 at offset {offset:,}; save it as UTF-8"):
        list(read_stories(tmp_path / "latin.txt"))


def test_stories_before_a_bad_byte_are_still_read(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "CHUNK", 4)
    (tmp_path / "late.txt").write_bytes(b"One.\n\n" * 5000 + b"\xff")
    stories = read_stories(tmp_path / "late.txt")
    assert [next(stories) for _ in range(3)] == ["One."] * 3
    with pytest.raises(ValueError, match="byte 0xff at offset 30,000"):
        list(stories)


def test_a_text_without_an_end_in_sight_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "CHUNK", 100)
    monkeypatch.setattr(corpora, "LONGEST_STORY", 1000)
    assert len(stories_of(tmp_path / "a.txt", "word " * 190 + f"{MARK}word")) == 2
    with pytest.raises(ValueError, match="no story ends within 1,000 characters; separate stories by <|endoftext|>".replace("|", r"\|")):
        stories_of(tmp_path / "a.txt", "word " * 300)


def test_a_long_file_is_read_piece_by_piece(tmp_path):
    (tmp_path / "long.txt").write_text("Ana ran home.\n\n" * 1_000_000)  # 15 MB
    tracemalloc.start()
    n_stories = sum(1 for _ in zip(read_stories(tmp_path / "long.txt"), range(100_000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_stories == 100_000 and peak < 20e6  # all stories at once would be 75 MB


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("tale.txt", FileNotFoundError, "there is no file .*tale.txt; did you mean '.*tales.txt'"),
        ("zzzz.csv", FileNotFoundError, "there is no file .*zzzz.csv$"),
        ("TinyStories", FileNotFoundError, "there is no file .*TinyStories$"),
        ("folder", ValueError, "folder is a folder; give a UTF-8 text file"),
        ("empty.txt", ValueError, "empty.txt is empty; give a UTF-8 text file"),
    ],
)
def test_what_is_no_text_file_is_refused_at_once(tmp_path, name, error, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "tales.txt").write_text("One.")
    with pytest.raises(error, match=message):
        read_stories(tmp_path / name)  # not only when the first story is asked for


def write_folder(folder, **texts):
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


def test_a_folder_is_the_split_that_its_two_files_say(tmp_path):
    write_folder(tmp_path / "tales", train="One.\n\nTwo.", valid="Three.", test="Four.", notes="Five.")
    (tmp_path / "tales" / "train.txt.bak").write_text("Six.")
    corpus = load_corpus(tmp_path / "tales")
    assert corpus.name == "tales"
    assert [list(corpus.stories(split)) for split in FOLDER_NAMES] == [["One.", "Two."], ["Three."]]
    assert [corpus.n_bytes(split) for split in FOLDER_NAMES] == [10, 6]
    with pytest.raises(ValueError, match="split is 'test'; it must be one of train, valid"):
        corpus.stories("test")


def test_a_folder_given_as_a_dot_has_its_real_name(tmp_path, monkeypatch):
    monkeypatch.chdir(write_folder(tmp_path / "tales", train="One.", valid="Two."))
    assert load_corpus(".").name == "tales"


def many_stories(path, n=1000):
    path.write_text("\n\n".join(f"Story {i}." for i in range(n)))
    return load_corpus(path)


def test_a_single_file_is_split_by_the_documented_rule(tmp_path):
    corpus = many_stories(tmp_path / "tales.txt")
    train, valid = (list(corpus.stories(split)) for split in FOLDER_NAMES)
    assert sorted(train + valid) == sorted(f"Story {i}." for i in range(1000))
    # Counted by hand: printf 'Story %d.' 33 | sha256sum, and so on, first byte under 13
    assert len(valid) == 53 and valid[:6] == [f"Story {i}." for i in (33, 47, 66, 73, 122, 128)]
    by_rule = [story for story in train + valid if hashlib.sha256(story.encode()).digest()[0] < 13]
    assert by_rule == valid
    shares = [corpus.n_bytes(split) / corpus.path(split).stat().st_size for split in FOLDER_NAMES]
    assert shares == pytest.approx([243 / 256, 13 / 256], abs=1e-3)


WORDS = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=8)


@given(st.lists(WORDS, min_size=1, max_size=8), st.data())
def test_copies_that_differ_in_white_space_fall_on_one_side(words, data):
    blanks = data.draw(st.lists(st.sampled_from([" ", "  ", "\n", "\t", "\u2003", "\r\n"]), min_size=len(words), max_size=len(words)))
    copy = "".join(word + blank for word, blank in zip(words, blanks))
    assert side_of(copy) == side_of(" ".join(words))


def test_copies_of_a_story_never_face_each_other_across_the_split(tmp_path):
    rng = random.Random(0)
    copies = ["".join(word + rng.choice([" ", "\n", "  "]) for word in ("Story", f"{i}.")) for i in range(500) for _ in range(3)]
    rng.shuffle(copies)
    (tmp_path / "copies.txt").write_text(f"\n{MARK}\n".join(copies))
    corpus = load_corpus(tmp_path / "copies.txt")
    train, valid = (Counter(" ".join(story.split()) for story in corpus.stories(split)) for split in FOLDER_NAMES)
    assert valid and not train & valid and set((train + valid).values()) == {3}


def test_the_fingerprint_follows_the_text_and_the_split_but_not_the_name(tmp_path):
    first = load_corpus(write_folder(tmp_path / "first", train="One.", valid="Two."))
    renamed = load_corpus(write_folder(tmp_path / "renamed", train="One.", valid="Two.", other="Six."))
    changed = load_corpus(write_folder(tmp_path / "changed", train="One!", valid="Two."))
    swapped = load_corpus(write_folder(tmp_path / "swapped", train="Two.", valid="One."))
    single = Corpus("one", tmp_path / "first" / "train.txt", tmp_path / "first" / "train.txt")
    assert re.fullmatch("[0-9a-f]{16}", first.fingerprint) and first.fingerprint == renamed.fingerprint
    assert len({corpus.fingerprint for corpus in (first, changed, swapped, single)}) == 4


def test_a_long_file_is_known_by_its_size_and_evenly_spaced_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora, "CHUNK", 2)
    path = tmp_path / "long.txt"

    def fingerprint_with(change_at=None, n=100):
        text = bytearray(b"a" * n)
        if change_at is not None:
            text[change_at] = ord("b")
        path.write_bytes(text)
        return Corpus("long", path, path).fingerprint

    plain = fingerprint_with()
    seen = [i for i in range(100) if fingerprint_with(i) != plain]
    assert seen == [98 * i // 31 + j for i in range(32) for j in (0, 1)] and seen[0] == 0 and seen[-1] == 99
    assert fingerprint_with(n=101) != plain
    short = fingerprint_with(n=64)  # 32 pieces are all of it
    assert all(fingerprint_with(i, n=64) != short for i in range(64))


@pytest.mark.parametrize(
    ("given_name", "error", "message"),
    [
        ("tales", FileNotFoundError, "the folder .*tales has no valid.txt. A corpus is a name .storyworld, tinystories., a folder with"),
        ("bare", FileNotFoundError, "the folder .*bare has no train.txt and no valid.txt"),
        ("tale", FileNotFoundError, "there is no corpus, folder or file '.*tale'; did you mean '.*tales'"),
        ("TinyStories", FileNotFoundError, "did you mean 'tinystories'"),
        ("xyz", FileNotFoundError, "there is no corpus, folder or file '.*xyz'. A corpus is"),
        ("short.txt", ValueError, "short.txt has too few stories to split: none of its 2 falls to valid"),
        ("blank.txt", ValueError, "blank.txt holds no story, only blanks and marks"),
        ("half", ValueError, "valid.txt holds no story, only blanks and marks"),
        ("empty.txt", ValueError, "empty.txt is empty"),
    ],
)
def test_what_is_no_corpus_says_what_is_wrong(tmp_path, given_name, error, message):
    (tmp_path / "bare").mkdir()
    write_folder(tmp_path / "tales", train="One.")
    write_folder(tmp_path / "half", train="One.", valid=f" \n{MARK}\n")
    for name, text in {"short": "Ana.\n\nBen.", "blank": f"\n {MARK}\n{MARK}", "empty": ""}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    with pytest.raises(error, match=message):
        load_corpus(tmp_path / given_name)


@pytest.mark.parametrize("nothing", ["", "  "])
def test_an_empty_name_is_refused(nothing):
    with pytest.raises(ValueError, match=f"the corpus is given as '{nothing}'. A corpus is"):
        load_corpus(nothing)


def test_a_name_goes_before_a_file_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tinystories").write_text("\n\n".join(f"Story {i}." for i in range(100)))
    folder = write_folder(tmp_path / "published", train="One.", valid="Two.")
    monkeypatch.setattr(corpora, "fetch", lambda file, *_: folder / ("train.txt" if "train" in file else "valid.txt"))
    assert list(load_corpus("tinystories").stories("train")) == ["One."]
    assert next(load_corpus("./tinystories").stories("train")) == "Story 0."


MAKE = """
import sys
from minilm import corpora
from minilm.data import token_file
from minilm.tokenizer import Tokenizer

corpora.STORYWORLD_MEGABYTES = 0.2
found = corpora.load_corpus("storyworld", cache_dir=sys.argv[1], progress=False)
print(found.fingerprint, len(token_file(found, "valid", Tokenizer([]), sys.argv[1])))
"""


def test_several_processes_may_make_storyworld_at_once(tmp_path):
    """As when two learners share a machine, or one opens two chapters: the first to be done counts, and nothing is left lying about."""
    started = [subprocess.Popen([sys.executable, "-c", MAKE, tmp_path / "cache"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    assert len({out for out, _ in said}) == 1
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [f"storyworld-{version()}", "tokens"]


def test_a_corpus_that_cannot_be_written_is_no_corpus_of_another(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        load_corpus("storyworld", cache_dir=tmp_path / "file")


def test_storyworld_is_made_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(corpora, "STORYWORLD_MEGABYTES", 0.1)
    found = load_corpus("storyworld", cache_dir=tmp_path)
    assert "writing stories" in capsys.readouterr().err
    train, valid = (list(found.stories(split)) for split in ("train", "valid"))
    assert found.name == "storyworld" and 60 < len(train) < len(valid) and not set(train) & set(valid)
    made = found.train.stat().st_mtime_ns
    assert load_corpus("storyworld", cache_dir=tmp_path).train.stat().st_mtime_ns == made
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(corpora, "version", lambda: "newer")
    assert load_corpus("storyworld", cache_dir=tmp_path, progress=False).train != found.train
    assert capsys.readouterr().err == ""


def test_the_published_files_are_pinned_to_a_revision():
    for file, size in (("TinyStoriesV2-GPT4-train.txt", "2227753162"), ("TinyStoriesV2-GPT4-valid.txt", "22502601")):
        row = corpora.published_file(file)
        assert (row["repository"], row["bytes"]) == ("roneneldan/TinyStories", size)
        assert re.fullmatch("[0-9a-f]{40}", row["revision"]) and re.fullmatch("[0-9a-f]{64}", row["sha256"])


REVISION = "0123456789abcdef0123456789abcdef01234567"
FILE = f"/datasets/some/stories/resolve/{REVISION}/tales.txt"


class Hub(http.server.ThreadingHTTPServer):
    """Answers as the Hugging Face Hub does for one file, and fails as it is told to."""

    def __init__(self, content: bytes, offered_size: int | None = None, cuts: tuple[int, ...] = ()):
        super().__init__(("127.0.0.1", 0), Answer)
        self.content, self.offered_size, self.cuts, self.asked = content, offered_size or len(content), list(cuts), []

    def __enter__(self):
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.begin(200, self.server.offered_size, {})

    def do_GET(self):
        if self.path != FILE:  # the client also asks for things that have nothing to do with the file
            return self.send_error(404)
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0
        end = len(self.server.content)
        self.begin(206 if asked else 200, end - start, {"Content-Range": f"bytes {start}-{end - 1}/{end}"} if asked else {})
        cut = self.server.cuts.pop(0) if self.server.cuts else end
        self.wfile.write(self.server.content[start:cut])  # and then the connection is closed

    def begin(self, status: int, size: int, more: dict):
        self.send_response(status if self.path == FILE else 404)
        etag = hashlib.sha256(self.server.content).hexdigest()
        for name, value in {"ETag": f'"{etag}"', "X-Repo-Commit": REVISION, "Content-Length": size, "Accept-Ranges": "bytes", **more}.items():
            self.send_header(name, str(value))
        self.end_headers()


def publish(folder, content: bytes):
    """Write a table that names one file, `tales.txt`, with the size and hash of content."""
    row = {"repository": "some/stories", "revision": REVISION, "path": "tales.txt", "bytes": len(content)}
    row["sha256"] = hashlib.sha256(content).hexdigest()
    with (folder / "published.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow(row)
    return folder / "published.csv"


# A process of its own, because huggingface_hub reads the address of the Hub once, when it is imported.
FETCH = """
import json, sys, time
from pathlib import Path
from minilm import corpora
corpora.PUBLISHED_FILES = Path(sys.argv[1])
start = time.perf_counter()
try:
    corpora.fetch("tales.txt", Path(sys.argv[2]), progress=False)
    error = None
except corpora.DownloadError as caught:
    error = str(caught)
print(json.dumps({"error": error, "seconds": time.perf_counter() - start}))
"""


def fetch_from(port: int, folder, content: bytes, offline: bool = False) -> dict:
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy") and not name.startswith("HF_")}
    env = {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(folder / "hub"), "HF_HUB_OFFLINE": str(int(offline))}
    words = [sys.executable, "-c", FETCH, str(publish(folder, content)), str(folder / "cache")]
    done = subprocess.run(words, env=clean | env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_download_that_is_cut_twice_goes_on_where_it_was_cut(tmp_path):
    content = random.Random(0).randbytes(25 << 20)  # the client writes 10 MiB at a time, and goes on from what it has written
    with Hub(content, cuts=(12 << 20, 23 << 20)) as hub:
        answer = fetch_from(hub.server_port, tmp_path, content)
    assert answer["error"] is None
    assert hub.asked == [None, f"bytes={10 << 20}-", f"bytes={20 << 20}-"]
    assert (tmp_path / "cache" / "tales.txt").read_bytes() == content


def test_wrong_bytes_of_the_right_size_are_refused_and_deleted(tmp_path):
    with Hub(b"Once upon a tima.") as hub:
        answer = fetch_from(hub.server_port, tmp_path, b"Once upon a time.")
    assert "what was downloaded as tales.txt (17 bytes) is not the published file (17 bytes, SHA-256 " in answer["error"]
    assert hub.asked == [None] and not list((tmp_path / "cache").glob("tales.txt*"))


def test_an_offer_of_another_size_is_refused_before_the_download(tmp_path):
    with Hub(b"Once upon a time.", offered_size=20) as hub:
        answer = fetch_from(hub.server_port, tmp_path, b"Once upon a time.")
    assert "the server offers 20 bytes, the published file has 17" in answer["error"]
    assert not hub.asked


def test_a_wrong_file_that_lies_there_is_replaced(tmp_path):
    content, path = b"Once upon a time.", tmp_path / "cache" / "tales.txt"
    with Hub(content) as hub:
        assert fetch_from(hub.server_port, tmp_path, content)["error"] is None
        path.write_bytes(b"Once upon a tima.")
        os.utime(path, (0, 0))  # older than the client's note of its download, so that the client takes it for its own
        assert fetch_from(hub.server_port, tmp_path, content)["error"] is None
    assert path.read_bytes() == content and hub.asked == [None, None]


@pytest.mark.parametrize("offline", [False, True])
def test_without_a_network_the_answer_is_quick_and_says_what_to_do(tmp_path, offline):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound but not listening: refuses, and nobody else can take the port
        answer = fetch_from(closed.getsockname()[1], tmp_path, b"Once upon a time.", offline)
    assert f"could not download tales.txt: {'Offline' if offline else 'Connect'}" in answer["error"]
    assert f"Without a network: put the file at {tmp_path / 'cache' / 'tales.txt'} by hand" in answer["error"]
    assert answer["seconds"] < 8


@pytest.fixture
def by_hand(tmp_path, monkeypatch):
    """A right file put there by hand, and a network that must not be asked."""
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "tales.txt").write_bytes(b"Once upon a time.")
    monkeypatch.setattr(corpora, "PUBLISHED_FILES", publish(tmp_path, b"Once upon a time."))

    def refuse(*_):
        raise DownloadError("asked the network")

    monkeypatch.setattr(corpora, "_download", refuse)
    return tmp_path / "cache" / "tales.txt"


def test_a_right_file_put_there_by_hand_is_accepted_and_hashed_only_once(by_hand, monkeypatch):
    hashed, sha256 = [], corpora._sha256
    monkeypatch.setattr(corpora, "_sha256", lambda path, progress: hashed.append(path) or sha256(path, progress))
    for _ in range(3):
        assert fetch("tales.txt", by_hand.parent, progress=False) == by_hand
    assert hashed == [by_hand]


def test_a_file_that_changed_after_its_check_is_checked_again(by_hand):
    fetch("tales.txt", by_hand.parent, progress=False)
    by_hand.write_bytes(b"Once upon a tima.")
    with pytest.raises(DownloadError, match="asked the network"):
        fetch("tales.txt", by_hand.parent, progress=False)


def test_a_missing_client_is_named(by_hand, monkeypatch, tmp_path):
    monkeypatch.undo()
    monkeypatch.setattr(corpora, "PUBLISHED_FILES", tmp_path / "published.csv")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    by_hand.unlink()
    with pytest.raises(DownloadError, match="needs the package huggingface_hub: pip install huggingface_hub"):
        fetch("tales.txt", by_hand.parent, progress=False)


def test_real_stories_are_read_whole(tinystories):
    stories = list(load_corpus(tinystories).stories("valid"))
    text = (tinystories / "valid.txt").read_text(encoding="utf-8")
    assert stories == [part.strip() for part in text.split(MARK) if part.strip()]
    assert sum(len(story.encode()) for story in stories) == 5_872_376
