"""How is a judge asked? Through OpenAI's protocol, only with consent, patiently, and each story once."""

import json
import logging
import math
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from minilm.config import CACHE
from minilm.judge.rubric import INSTRUCTIONS, RUBRIC, STRUCTURED, Marks, messages, read_marks

LOCAL = ("localhost", "127.0.0.1", "::1")
TRIES = 3  # answers that are no marks, after which a story stays unjudged
BUSY = (408, 409, 429)  # with 500 and above: the same request may succeed later
MISUNDERSTOOD = (400, 413, 422)  # the server cannot do with the request what was asked
LONGEST_WAIT = 600  # seconds that a server may ask for
BYTES_PER_TOKEN, TOKENS_OF_ANSWER = 4, 50  # rough, for the estimate


class JudgeFailed(RuntimeError):
    """No judge could be asked. The message holds neither a story nor a key; what was judged before is in the cache."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A server and its model. The key, if it needs one, is read from MINILM_JUDGE_KEY when it is used and kept nowhere.

    Raises ValueError for an address that is none or holds a password, and for numbers that cannot be.
    """

    url: str
    """Such as http://localhost:11434/v1 for Ollama: what comes before /chat/completions."""
    model: str
    timeout: float = 60
    """Seconds to wait for an answer."""
    retries: int = 4
    """How often to ask a busy server again, after 1, 2, 4, ... seconds or as long as it says."""
    price_in: float | None = None
    """Money for a million tokens read."""
    price_out: float | None = None
    """The same for tokens written."""

    def __post_init__(self):
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise ValueError("the judge's URL must be like http://localhost:11434/v1, without a password or a ? in it; the key belongs in MINILM_JUDGE_KEY")
        if not self.model:
            raise ValueError("the judge's model has no name; give --model or set MINILM_JUDGE_MODEL")
        if not 0 < self.timeout < math.inf or self.retries < 0:
            raise ValueError(f"a timeout of {self.timeout} s and {self.retries} retries; give more than 0 seconds, and 0 retries or more")
        if (self.price_in is None) != (self.price_out is None) or min(self.price_in or 0, self.price_out or 0) < 0:
            raise ValueError(f"prices of {self.price_in} and {self.price_out} for a million tokens; give both, from 0 on, or none")

    @property
    def local(self) -> bool:
        """Whether what is sent stays on this machine."""
        return urlsplit(self.url).hostname in LOCAL

    @property
    def place(self) -> str:
        """The server's name, and what sending a story there means."""
        parts = urlsplit(self.url)
        remote = "another machine" if parts.scheme == "https" else "another machine, unencrypted"
        return f"{parts.hostname} ({'this machine' if self.local else remote})"


def find_endpoint(url: str = "", model: str = "", **settings: float | None) -> Endpoint | None:
    """The endpoint as given, or else as MINILM_JUDGE_URL and MINILM_JUDGE_MODEL say; None if neither names a URL."""
    url, model = url or os.environ.get("MINILM_JUDGE_URL", ""), model or os.environ.get("MINILM_JUDGE_MODEL", "")
    return Endpoint(url=url, model=model, **settings) if url else None


def _key() -> str:
    key = os.environ.get("MINILM_JUDGE_KEY", "")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ValueError("MINILM_JUDGE_KEY holds blanks, line ends or letters that no key has; set it anew")
    return key


def _client(endpoint: Endpoint):
    """OpenAI's client, with nothing from the environment, and none of its own retries, which could not be watched."""
    try:
        import openai  # an optional extra, needed for nothing else
    except ImportError as error:
        raise JudgeFailed('asking a judge needs the package openai: pip install "minilm[judge]"') from error
    logging.getLogger("openai._base_client").setLevel(logging.INFO)  # at DEBUG older versions log what they send
    # A redirect would lead to a server that nobody consented to, and a proxy away from this machine.
    http = openai.DefaultHttpxClient(follow_redirects=False, trust_env=not endpoint.local)
    client = openai.OpenAI(base_url=endpoint.url, api_key=_key() or "none", timeout=endpoint.timeout, max_retries=0, http_client=http)
    client.organization = client.project = None  # it reads them from variables that are meant for another server
    return client


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What asking would send: stories that are not in the cache, and tokens, roughly; money, if prices are known."""

    n_stories: int
    n_cached: int
    tokens_in: int
    tokens_out: int
    money: float | None
    place: str

    def __str__(self) -> str:
        money = "" if self.money is None else f", for {self.money:.4f}"
        return (f"{self.n_stories} stories to {self.place}: about {self.tokens_in:,} tokens to read and {self.tokens_out:,} to write{money}; "
                f"{self.n_cached} are in the cache")  # fmt: skip


class Judge:
    """A model that marks stories, each once: what it said is kept on disk, under a hash of model, rubric, beginning and story, as marks alone.

    cache: folder, or None to keep nothing. sleep: waits so many seconds.
    """

    def __init__(self, endpoint: Endpoint, cache: Path | None = CACHE / "judge", sleep: Callable[[float], None] = time.sleep):
        self.endpoint, self.cache, self.sleep = endpoint, cache, sleep
        self.structured = True  # until the server shows that it does not know JSON schemas
        self.understood = False  # until it has answered something
        self._client = None

    def estimate(self, stories: Sequence[str], prompt: str = "") -> Estimate:
        """What `mark` would send. Thinking that a model does before it answers is not counted, nor are questions asked again."""
        different = dict.fromkeys(_checked(stories, prompt))
        waiting = [story for story in different if self._kept(story, prompt) is None]
        overhead = len(INSTRUCTIONS) + len(json.dumps(STRUCTURED)) + len(prompt.encode())
        tokens_in = sum(overhead + len(story.encode()) for story in waiting) // BYTES_PER_TOKEN
        tokens_out, prices = TOKENS_OF_ANSWER * len(waiting), (self.endpoint.price_in, self.endpoint.price_out)
        money = None if None in prices else (tokens_in * prices[0] + tokens_out * prices[1]) / 1e6
        return Estimate(n_stories=len(waiting), n_cached=len(different) - len(waiting), tokens_in=tokens_in, tokens_out=tokens_out, money=money,
                        place=self.endpoint.place)  # fmt: skip

    def mark(self, stories: Sequence[str], prompt: str = "", *, consent: bool = False) -> list[Marks | None]:
        """Mark what a model wrote after a beginning, the same for all; None for a story of which the judge's answers were no marks.

        consent: send the stories to the endpoint. Raises ValueError without it, unless all are in the cache, and for what is no text (TypeError
        for one string); JudgeFailed if the server cannot be asked.
        """
        return list(self.marking(stories, prompt, consent=consent))

    def marking(self, stories: Sequence[str], prompt: str = "", *, consent: bool = False) -> Iterable[Marks | None]:
        """`mark`, one story at a time."""
        estimate = self.estimate(stories, prompt)
        if estimate.n_stories == 0:
            return [self._kept(story, prompt) for story in stories]
        if consent is not True:
            raise ValueError(f"nothing was sent, for nobody has agreed to it: {estimate}. Agree by consent=True, or --yes")
        self._client = self._client or _client(self.endpoint)
        return (self._marks(story, prompt) for story in stories)

    def _marks(self, story: str, prompt: str) -> Marks | None:
        marks = self._kept(story, prompt)
        for _ in range(TRIES):
            if marks is not None:
                break
            answer = self._answer(messages(story, prompt))
            try:
                marks = read_marks(answer)
            except ValueError:
                continue  # never guessed: ask again
            self._keep(story, prompt, marks)
        return marks

    def _answer(self, asked: list[dict[str, str]]) -> str:
        """The text of an answer: with a schema if the server knows what that is, "" where it gives no text."""
        answer = self._patiently(asked, response_format=STRUCTURED) if self.structured else None
        if answer is None:
            answer = self._patiently(asked)
            self.structured = self.structured and answer is None  # if only the plain question was understood, it was the schema
        if answer is None and not self.understood:
            raise JudgeFailed(f"{self.endpoint.place} does not understand what it is asked; look at the model's name, and at the length of the stories")
        self.understood = True
        return answer or ""  # a server that has answered others may find this story too long, or not to its taste

    def _patiently(self, asked: list[dict[str, str]], **options: dict) -> str | None:
        """Ask, and again after a while if the server is busy; None if it does not understand the request."""
        import openai

        for attempt in range(self.endpoint.retries + 1):
            try:
                return _text_of(self._client.chat.completions.create(model=self.endpoint.model, messages=asked, **options))
            except json.JSONDecodeError:
                return ""  # the answer was cut, or is none of this protocol
            except openai.APIStatusError as error:
                status, asked_wait = error.status_code, _retry_after(error.response.headers.get("retry-after", ""))
            except openai.APIConnectionError as error:
                status, asked_wait = type(error).__name__, None
            if status in MISUNDERSTOOD:
                return None
            wait = min(2.0**attempt, 60.0) if asked_wait is None else asked_wait
            busy = isinstance(status, str) or status in BUSY or status >= 500
            if not busy or wait > LONGEST_WAIT or attempt == self.endpoint.retries:
                break
            self.sleep(wait)
        raise JudgeFailed(f"{self.endpoint.place} gave no answer: {_reason(status, wait)}. What was judged before is kept; the same call goes on")

    # The cache

    def _file(self, story: str, prompt: str) -> Path:
        return self.cache / f"{sha256(json.dumps([self.endpoint.model, RUBRIC, prompt, story]).encode()).hexdigest()}.json"

    def _kept(self, story: str, prompt: str) -> Marks | None:
        if self.cache is None or not self._file(story, prompt).exists():
            return None
        try:
            return read_marks(self._file(story, prompt).read_text(encoding="utf-8"))
        except ValueError:
            return None  # damaged: ask again

    def _keep(self, story: str, prompt: str, marks: Marks) -> None:
        if self.cache is None:
            return
        self.cache.mkdir(parents=True, exist_ok=True)
        path = self._file(story, prompt)
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(asdict(marks)), encoding="utf-8")
        draft.replace(path)  # never half a file


def _checked(stories: Sequence[str], prompt: str) -> list[str]:
    if isinstance(stories, str):
        raise TypeError("the stories are one string; give a list of strings, one for each story")
    for number, text in enumerate([prompt, *stories]):
        what = f"story {number} of {len(stories)}" if number else "the prompt"
        if not isinstance(text, str) or (number and not text.strip()):
            raise ValueError(f"{what} is empty or no text; leave it out")
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise ValueError(f"{what} holds half of a letter (a lone surrogate), which cannot be sent; read the file as UTF-8")
    return list(stories)


def _text_of(completion: object) -> str:
    """The text of a completion, which may be anything that a server sends."""
    try:
        text = completion.choices[0].message.content
    except (AttributeError, IndexError, TypeError):
        return ""
    return text if isinstance(text, str) else ""


def _retry_after(header: str) -> float | None:
    """Seconds to wait by a Retry-After header, which holds seconds or a date; None if it is neither."""
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):  # no date, or one without a time zone
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _reason(status: int | str, wait: float) -> str:
    if status in (401, 403):
        return f"it does not accept the key (status {status}); set MINILM_JUDGE_KEY"
    if status == 404:
        return "it has no such model or address (status 404); look at the URL, which often ends with /v1, and at the model's name"
    if status == "APITimeoutError":
        return "it took too long; give it a longer timeout"
    if isinstance(status, str):
        return "there was no connection; see whether the server runs, and whether the URL is right"
    if wait > LONGEST_WAIT:
        return f"it asks to wait {wait:,.0f} seconds (status {status})"
    return f"it failed with status {status}"
