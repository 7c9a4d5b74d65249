r"""Where does text come from? Named corpora and your own files, as streams of stories.

The ideas in order: a file is a sequence of *stories* set apart by a mark, and is read piece by piece, because it may be larger than
the memory (`read_stories`); a *corpus* is two such streams, one to learn from and one to be judged by, that share no story (`Corpus`);
a corpus is had by name, as a folder or as a file (`load_corpus`); what is downloaded is checked byte for byte, so that a number
in a table refers to the same text everywhere (`fetch`).

Built by hand in: chapter 01. Left out on purpose: other formats (JSON, Parquet, archives), other encodings than UTF-8, near-duplicates.
"""

import difflib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm.auto import tqdm

from minilm.config import CACHE, DATA
from minilm.files import read_rows
from minilm.storyworld import VALID_MEGABYTES, version, write_corpus
from minilm.tokenizer import END_OF_TEXT

SPLITS = ("train", "valid")
NAMES = ("storyworld", "tinystories")
STORYWORLD_MEGABYTES = 10  # of training text; half a megabyte more is kept for validation
TINYSTORIES = {"train": "TinyStoriesV2-GPT4-train.txt", "valid": "TinyStoriesV2-GPT4-valid.txt"}
PUBLISHED_FILES = DATA / "published" / "tinystories_files.csv"  # repository, revision, size and SHA-256 of each file

CHUNK = 1 << 20  # characters, or bytes, read at a time
LONGEST_STORY = 64 * CHUNK  # characters; more than this without an end is no story, and would fill the memory
PARAGRAPH_BREAK = re.compile(r"\n\s*\n")
VALID_BUCKETS = 13  # of 256, about 5 %: how much of a single file is kept for validation
FINGERPRINT_PIECES = 32  # pieces of CHUNK bytes; a file no longer than all of them is read whole

HOW_TO_NAME_A_CORPUS = (
    f"A corpus is a name ({', '.join(NAMES)}), a folder with train.txt and valid.txt, or a UTF-8 text file."
)


class DownloadError(OSError):
    """A file could not be downloaded, or what came is not what was published."""


@dataclass(frozen=True)
class Corpus:
    """Text in two splits, `train` and `valid`, that share no story. Made by `load_corpus`.

    When both paths are the same file, each story's own text decides its side (see `side_of`).
    """

    name: str
    train: Path
    valid: Path

    def stories(self, split: str) -> Iterator[str]:
        """Read the stories of a split in order, each stripped and none empty, with little memory however long the file.

        Raises ValueError for another split than "train" or "valid", and while reading what `read_stories` raises.
        """
        stories = read_stories(self.path(split))
        if self.train != self.valid:
            return stories
        return (story for story in stories if side_of(story) == split)

    def path(self, split: str) -> Path:
        """Name the file a split is read from. Raises ValueError for an unknown split."""
        if split not in SPLITS:
            raise ValueError(f"split is {split!r}; it must be one of {', '.join(SPLITS)}")
        return self.train if split == "train" else self.valid

    def n_bytes(self, split: str) -> int:
        """Estimate the bytes of text in a split from the file's size: good enough for a progress bar, not for a score."""
        size = self.path(split).stat().st_size
        if self.train != self.valid:
            return size
        share = VALID_BUCKETS / 256
        return round(size * (share if split == "valid" else 1 - share))

    @property
    def fingerprint(self) -> str:
        """Tell one corpus from another: 16 hex digits that change when the text or the split does, but not with name or place.

        Files up to 32 MiB are hashed whole, of longer ones the size and 32 evenly spaced MiB (the first and the last among them):
        a change of a few letters inside a longer file, all else kept, can go unseen.
        """
        paths = [self.train] if self.train == self.valid else [self.train, self.valid]
        digests = [_hash_of_pieces(path) for path in paths]
        return hashlib.sha256(" ".join(digests).encode()).hexdigest()[:16]


def load_corpus(name_or_path: str | Path, *, cache_dir: str | Path = CACHE, progress: bool = True) -> Corpus:
    """Find a corpus by name, or make one of a folder or a file.

    - `storyworld` is 10 MB of stories of our own, made on first use (`minilm.storyworld`; `minilm storyworld` makes other sizes);
    - `tinystories` is TinyStories V2 (GPT-4), 2.2 GB, downloaded into `cache_dir` once and checked;
    - a folder with `train.txt` and `valid.txt` is that split (other files in it are ignored);
    - a UTF-8 file is split by story, about 5 % for validation (`side_of`).

    A name goes before a file of the same name; write `./tinystories` for the file. `progress` shows bars while
    downloading and checking. Raises FileNotFoundError if there is no such thing, ValueError if it holds no text that can be used,
    DownloadError if the download fails. Source: docs/SOURCES.md#tinystories
    """
    if name_or_path == "storyworld":
        corpus = _storyworld(Path(cache_dir), progress)
    elif name_or_path == "tinystories":
        folder = Path(cache_dir) / "tinystories"
        corpus = Corpus("tinystories", **{split: fetch(file, folder, progress) for split, file in TINYSTORIES.items()})
    elif not str(name_or_path).strip():
        raise ValueError(f"the corpus is given as {name_or_path!r}. {HOW_TO_NAME_A_CORPUS}")
    else:
        corpus = _corpus_at(Path(name_or_path).expanduser())
    for split in SPLITS:
        if next(corpus.stories(split), None) is None:
            raise ValueError(_why_nothing(corpus, split))
    return corpus


def read_stories(path: str | Path) -> Iterator[str]:
    r"""Read a whole UTF-8 file as stories, in order: what stands between the marks `<|endoftext|>`, stripped, empty ones dropped.

    A file without any mark is read by paragraph (blank lines separate). All line ends are read as "\n", and a byte order mark is
    skipped. Never holds more than a story and 1 MiB. Raises FileNotFoundError if there is no such file; ValueError if it is a folder or
    empty, and, on reaching the place, if it is not UTF-8 or no story ends within 64 MiB.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "two.txt"
    ...     _ = path.write_text("Once upon a time.\n\nThe end.\n<|endoftext|>\n Ben ran. \n")
    ...     list(read_stories(path))
    ['Once upon a time.\n\nThe end.', 'Ben ran.']
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a UTF-8 text file")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}{_nearest(path)}")
    if path.stat().st_size == 0:
        raise ValueError(f"{path} is empty; give a UTF-8 text file with stories separated by {END_OF_TEXT} or blank lines")
    return _stories_of(path)


def side_of(story: str) -> str:
    """Decide the split of a story of a single file from its text alone, so that copies of a story land on the same side.

    The rule: SHA-256 of the text with all white space made single blanks; first byte under 13 (5.1 % of 256) is `valid`.

    >>> side_of("Once upon a time.") == side_of("Once  upon a\\n time. ")
    True
    """
    words = " ".join(story.split())
    return "valid" if hashlib.sha256(words.encode()).digest()[0] < VALID_BUCKETS else "train"


def _stories_of(path: Path) -> Iterator[str]:
    separator = re.compile(re.escape(END_OF_TEXT)) if _has_mark(path) else PARAGRAPH_BREAK
    rest = ""
    for chunk in _chunks(path):
        *pieces, rest = separator.split(rest + chunk)  # a separator cut in two by the chunk's end is whole next time
        yield from filter(None, map(str.strip, pieces))
        if len(rest) > LONGEST_STORY:
            raise ValueError(
                f"{path}: no story ends within {LONGEST_STORY:,} characters; separate stories by {END_OF_TEXT} or blank lines"
            )
    if story := rest.strip():
        yield story


def _chunks(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig") as file:
        try:
            while chunk := file.read(CHUNK):
                yield chunk
        except UnicodeDecodeError as error:
            offset = file.buffer.tell() - len(error.object) + error.start
            raise ValueError(
                f"{path} is not UTF-8 text: byte 0x{error.object[error.start]:02x} at offset {offset:,}; save it as UTF-8"
            ) from error


def _has_mark(path: Path) -> bool:
    """Search the bytes: at once true for a file with marks, and one fast pass for a file without."""
    mark, tail = END_OF_TEXT.encode(), b""
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            if mark in tail + block:
                return True
            tail = (tail + block)[1 - len(mark) :]
    return False


def _corpus_at(path: Path) -> Corpus:
    if path.is_dir():
        missing = [f"{split}.txt" for split in SPLITS if not (path / f"{split}.txt").is_file()]
        if missing:
            raise FileNotFoundError(
                f"the folder {path} has no {' and no '.join(missing)}. {HOW_TO_NAME_A_CORPUS}"
            )
        return Corpus(path.resolve().name, path / "train.txt", path / "valid.txt")
    if not path.exists():
        raise FileNotFoundError(f"there is no corpus, folder or file {str(path)!r}{_nearest(path, NAMES)}. {HOW_TO_NAME_A_CORPUS}")
    return Corpus(path.name, path, path)


def _storyworld(cache_dir: Path, progress: bool) -> Corpus:
    """Find or make the stories of this edition: what an older one made is left alone and not used."""
    folder = cache_dir / f"storyworld-{version()}"
    if not folder.is_dir():
        total = round((STORYWORLD_MEGABYTES + VALID_MEGABYTES) * 1e6)
        with tqdm(total=total, desc="writing stories", unit="B", unit_scale=True, disable=not progress) as bar:
            try:
                write_corpus(folder, STORYWORLD_MEGABYTES, progress=bar.update)
            except OSError:
                if not folder.is_dir():  # it is there when another process was done first, with the same stories
                    raise
    return Corpus("storyworld", folder / "train.txt", folder / "valid.txt")


def _why_nothing(corpus: Corpus, split: str) -> str:
    path = corpus.path(split)
    n_stories = sum(1 for _ in read_stories(path))
    if n_stories == 0:
        return f"{path} holds no story, only blanks and marks"
    return (
        f"{path} has too few stories to split: none of its {n_stories} falls to {split}, where about 1 in 20 goes to valid. "
        f"Separate stories by {END_OF_TEXT} or blank lines, add more, or make a folder with train.txt and valid.txt"
    )


def _nearest(path: Path, names: tuple[str, ...] = ()) -> str:
    """Guess what was meant: one of the names, or something that lies in the same folder."""
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = [name if name in names else str(path.with_name(name)) for name in difflib.get_close_matches(path.name, [*names, *beside], n=1)]
    return f"; did you mean {near[0]!r}?" if near else ""


def _hash_of_pieces(path: Path) -> str:
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for i in range(FINGERPRINT_PIECES):
            if size > FINGERPRINT_PIECES * CHUNK:
                file.seek((size - CHUNK) * i // (FINGERPRINT_PIECES - 1))
            digest.update(file.read(CHUNK))
    return digest.hexdigest()


def published_file(path: str) -> dict[str, str]:
    """Look up repository, revision, bytes and sha256 of a file of TinyStories as published. Source: docs/SOURCES.md#tinystories

    >>> published_file("TinyStoriesV2-GPT4-valid.txt")["bytes"]
    '22502601'
    """
    return next(row for row in read_rows(PUBLISHED_FILES) if row["path"] == path)


def fetch(file: str, folder: Path, progress: bool = True) -> Path:
    """Have a published file in `folder`: downloaded from the Hub at its pinned revision if need be, size and SHA-256 checked.

    A file that was checked before is known by its stamp (size, time of change, hash), so that 2 GB are not read at each start; a
    right file put there by hand is accepted, a wrong one replaced. Raises DownloadError, and keeps nothing that it downloaded wrong.
    """
    published, path = published_file(file), Path(folder) / file
    if path.is_file() and _is_as_published(path, published, progress):
        return path
    _download(path, published, progress)
    if not _is_as_published(path, published, progress):
        size = path.stat().st_size
        path.unlink()
        raise DownloadError(
            f"what was downloaded as {file} ({size:,} bytes) is not the published file ({int(published['bytes']):,} bytes, "
            f"SHA-256 {published['sha256'][:12]}...), and was deleted; try again, perhaps from another network. {_without_network(path)}"
        )
    return path


def _is_as_published(path: Path, published: dict[str, str], progress: bool) -> bool:
    stamp_path = path.with_name(path.name + ".checked")
    stamp = f"{path.stat().st_size} {path.stat().st_mtime_ns} {published['sha256']}"
    if stamp_path.is_file() and stamp_path.read_text() == stamp:
        return True
    if path.stat().st_size != int(published["bytes"]) or _sha256(path, progress) != published["sha256"]:
        return False
    stamp_path.write_text(stamp)
    return True


def _sha256(path: Path, progress: bool) -> str:
    digest = hashlib.sha256()
    bar = tqdm(total=path.stat().st_size, desc=f"checking {path.name}", unit="B", unit_scale=True, disable=not progress)
    with path.open("rb") as file, bar:
        while block := file.read(CHUNK):
            digest.update(block)
            bar.update(len(block))
    return digest.hexdigest()


def _download(path: Path, published: dict[str, str], progress: bool) -> None:
    """Let the Hub's own client fetch the file; it resumes where a line was cut."""
    try:
        import huggingface_hub as hub  # an optional extra, needed for nothing else
    except ImportError as error:
        raise DownloadError(
            f"downloading {path.name} needs the package huggingface_hub: pip install huggingface_hub. {_without_network(path)}"
        ) from error
    where = dict(repo_id=published["repository"], repo_type="dataset", revision=published["revision"], filename=path.name)
    try:
        # Asking first fails at once when there is no network, where the download alone would try for half a minute.
        size = hub.get_hf_file_metadata(hub.hf_hub_url(**where)).size
        if size not in (None, int(published["bytes"])):
            raise ValueError(f"the server offers {size:,} bytes, the published file has {int(published['bytes']):,}")
        path.unlink(missing_ok=True)  # a wrong file here, which the client might take for its own
        hub.hf_hub_download(**where, local_dir=path.parent, tqdm_class=None if progress else _silent_tqdm)
    except Exception as error:  # the client's own errors come from whichever HTTP library it uses this year
        raise DownloadError(
            f"could not download {path.name}: {type(error).__name__}: {error}\n{_without_network(path)}"
        ) from error


def _without_network(path: Path) -> str:
    return (
        f"Without a network: put the file at {path} by hand, "
        "or name a text file of your own, or a folder with train.txt and valid.txt, in place of 'tinystories'."
    )


class _silent_tqdm(tqdm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "disable": True})
