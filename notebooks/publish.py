"""How does the course become a site? `python notebooks/publish.py FOLDER` writes pages that a browser opens from the disk, without a network.

1. Pages are README.md, which comes first, the built notebooks, and the Markdown files of docs/ and data/.
2. Everything is made here: formulas become MathML, code gets its colours, figures their files. A page asks for no script and no font.
3. A link to a file that is a page leads to the page; any other file is taken along. "Chapter 02" and `docs/RESULTS.md` become links where such a page is.
4. Outputs are those that the notebooks were built with. Where the build dropped a control, which needs a kernel, or a time, which differs from one
   computer to the next, a line says so.

Nothing is written unless all pages could be made. `site/page.html` is the frame of a page, `site/style.css` its look. Left out on purpose: search and
everything else that needs a script.
"""

import argparse
import base64
import html
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import nbformat
from markdown_it import MarkdownIt
from markdown_it.token import Token
from math_core import LatexError, LatexToMathML
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from build import describe, drift, replace

ROOT = Path(__file__).resolve().parents[1]
LOOK = Path(__file__).resolve().parent / "site"
ALONG = {"docs/explorer.html": "The Chinchilla explorer"}  # pages in themselves, taken along as they are
MATHEMATICS = LatexToMathML(fancy_error=False)
WITHOUT_KERNEL = "This is live in JupyterLab, where a kernel runs. A still picture of it, or its text, stands above or below."
WITHOUT_MACHINE = "What this cell shows differs from one computer to the next. Run it to see yours."


class PublishError(Exception):
    """A page that could not be made; the message names the file and what stands in the way."""


@dataclass(kw_only=True)
class Page:
    """A page in the making: where its text stands, its address in the site, and what was found in it on the way."""

    source: Path
    address: str
    title: str
    body: str = ""
    sections: list[tuple[str, str]] = field(default_factory=list)  # address within the page and HTML of each heading of the second level
    ids: set[str] = field(default_factory=lambda: {"text", "contents"})  # the frame has these two

    @property
    def is_chapter(self) -> bool:
        return self.source.suffix == ".ipynb"


def find_pages(root: Path) -> list[Page]:
    """List the pages of the course in reading order, still without their texts. Raises PublishError if a notebook is not what its source says."""
    pages = [Page(source=root / "README.md", address="index.html", title=title_of((root / "README.md").read_text(encoding="utf-8")))]
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        if found := drift(path.parent / "src" / f"{path.stem}.py", path):
            raise PublishError(f"{path.name} has drifted from its source; `make notebooks` mends it\n  " + "\n  ".join(found))
        pages.append(Page(source=path, address=f"{path.stem}.html", title=title_of(nbformat.read(path, as_version=4).cells[0].source)))
    for path in [*sorted((root / "docs").glob("*.md")), root / "data" / "README.md"]:
        stem = path.parent.name if path.stem == "README" else path.stem
        pages.append(Page(source=path, address=f"{stem.lower()}.html", title=title_of(path.read_text(encoding="utf-8"))))
    return pages


def title_of(text: str) -> str:
    """Take the title of a text: its heading of the first level, without the marks."""
    found = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
    if not found:
        raise PublishError(f"a page needs a line `# Title`; there is none in the text that begins {text[:60]!r}")
    return re.sub(r"[`*]", "", found[1])


class Writer:
    """Turns the Markdown and the notebooks of a tree into HTML; `taken` are the files that their links and figures need, by their addresses in the site."""

    def __init__(self, root: Path, pages: list[Page]):
        self.root, self.taken = root, {name: (root / name).read_bytes() for name in ALONG if (root / name).is_file()}
        self.addresses = {page.source: page.address for page in pages}
        self.chapters = {page.source.stem[:2]: page.address for page in pages if page.is_chapter}
        self.markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
        self.markdown.use(dollarmath_plugin, allow_digits=False, allow_space=False, allow_labels=False, renderer=formula)
        self.markdown.core.ruler.push("course", lambda state: self.adapt(state.tokens, state.env["page"]))
        rules = {"table_open": '<div class="wide"><table>', "table_close": "</table></div>"}
        self.markdown.renderer.rules |= {name: lambda *_, text=text: text + "\n" for name, text in rules.items()}
        self.markdown.renderer.rules["fence"] = lambda tokens, i, *_: code(tokens[i].content, tokens[i].info.strip())

    def write(self, page: Page) -> None:
        """Fill in the text of a page. Raises PublishError for a dead link, a picture without words, a formula or an output that cannot be shown."""
        try:
            if page.is_chapter:
                cells = nbformat.read(page.source, as_version=4).cells
                page.body = "\n".join(self.cell(position, cell, page) for position, cell in enumerate(cells))
            else:
                page.body = self.prose(page.source.read_text(encoding="utf-8"), page)
        except PublishError as error:
            raise PublishError(f"{page.source.relative_to(self.root)}: {error}") from error

    def prose(self, text: str, page: Page) -> str:
        return self.markdown.render(text, {"page": page})

    def cell(self, position: int, cell: nbformat.NotebookNode, page: Page) -> str:
        """Write a cell: prose, or code with what it showed when the notebook was built."""
        try:
            if cell.cell_type == "markdown":
                return self.prose(cell.source, page)
            shown = [self.output(output, f"{page.source.stem}-{position + 1}-{i + 1}", page) for i, output in enumerate(cell.outputs)]
        except PublishError as error:
            raise PublishError(f"{describe(position, cell)}: {error}") from error
        shown += [f'<p class="note">{note}</p>' for note in what_was_dropped(cell)]
        kind = " ".join(sorted({"exercise", "check"} & set(cell.metadata.get("tags", []))))
        below = f'<div class="output">{"".join(shown)}</div>' if shown else ""
        return f'<div class="{f"cell {kind}".strip()}">{code(cell.source, "python")}{below}</div>'

    def output(self, output: nbformat.NotebookNode, name: str, page: Page) -> str:
        """Write what a cell showed: the richest form that a page can have."""
        if output.output_type == "stream":
            return f"<pre>{html.escape(output.text)}</pre>"
        data = output.get("data", {})
        if "image/png" in data:
            return self.figure(base64.b64decode(data["image/png"]), output.metadata.get("image/png", {}), f"figures/{name}.png")
        if "text/markdown" in data:
            return self.prose(data["text/markdown"], page)
        if "text/html" in data:
            return f'<div class="wide">{data["text/html"]}</div>'
        if "text/plain" in data:
            return f"<pre>{html.escape(data['text/plain'])}</pre>"
        kinds = ", ".join(data) or output.output_type
        raise PublishError(f"a page can show pictures (PNG), Markdown, HTML and text, and this cell shows {kinds}")

    def figure(self, png: bytes, about: dict, address: str) -> str:
        """Write a figure, and keep its picture. A click shows it alone, as large as it is."""
        if not about.get("alt", "").strip():
            raise PublishError("a figure without words for those who cannot see it; draw it with plots.show(fig, alt=...)")
        self.taken[address] = png
        width, height = (int.from_bytes(png[place : place + 4]) for place in (16, 20))  # where the header of a PNG holds them
        shown = about.get("width", width)
        said = f'alt="{html.escape(about["alt"])}" width="{shown}" height="{round(height * shown / width)}" loading="lazy"'
        return f'<div class="wide"><a href="{address}"><img src="{address}" {said}></a></div>'

    def adapt(self, tokens: list[Token], page: Page) -> None:
        """Give headings their addresses, keep numbers of tables on one line, and lead links to the pages of the site."""
        for place, token in enumerate(tokens):
            if token.type == "heading_open":
                token.attrSet("id", self.heading(tokens[place + 1], int(token.tag[1]), page))
            if token.type == "td_open" and re.fullmatch(r"(?=.*\d).{1,24}", tokens[place + 1].content):
                token.attrSet("class", "short")
            if token.type == "inline":
                token.children = list(self.inline(token.children, page))

    def heading(self, inline: Token, level: int, page: Page) -> str:
        words = "".join(child.content for child in inline.children)
        # As those who link to a heading of the file write it: JupyterLab's way for notebooks, GitHub's for pages.
        plain = (words if page.is_chapter else re.sub(r"[^\w\- ]", "", words.lower()).strip()).replace(" ", "-") or "section"
        address = next(name for name in (plain, *(f"{plain}-{n}" for n in range(1, 1000))) if name not in page.ids)
        page.ids.add(address)
        if level == 2:
            page.sections.append((address, html.escape(words)))
        return address

    def inline(self, tokens: list[Token], page: Page) -> Iterator[Token]:
        """Lead links and pictures to their places in the site; what names a page outside a link becomes a link."""
        in_link = False
        for token in tokens:
            if token.type == "image":
                if not token.content.strip():
                    raise PublishError(f"the picture {token.attrs['src']} has no words for those who cannot see it")
                token.attrSet("src", self.address(token.attrs["src"], page))
            if token.type in ("link_open", "link_close"):
                in_link = token.type == "link_open"
            if token.type == "link_open":
                address = self.address(token.attrs.pop("href"), page)
                token.attrs |= {"href": address} if address else {}
            named = {} if in_link else self.named(token, page)
            yield from linked(token, named) if named else [token]

    def named(self, token: Token, page: Page) -> dict[str, str]:
        """Find which pages a piece of text names, as the words and where they lead: "chapter 02", docs/RESULTS.md."""
        found = {}
        if token.type == "text":
            chapters = re.findall(r"(\b[Cc]hapter (\d\d))\b", token.content)
            found = {words: self.chapters[number] for words, number in chapters if number in self.chapters}
        if token.type in ("text", "code_inline"):
            paths = re.findall(r"\b(?:docs|notebooks|data)/[\w/]+\.(?:md|ipynb)\b", token.content)
            found |= {path: self.addresses[self.root / path] for path in paths if self.root / path in self.addresses}
        return {words: address for words, address in found.items() if address != page.address}

    def address(self, href: str, page: Page) -> str:
        """Say where a link leads in the site; nowhere ("") if it is a folder, which a site cannot show. Raises PublishError if there is no such file."""
        if re.match(r"[a-z]+:", href):
            return href
        path, _, place = href.partition("#")
        target = Path(os.path.normpath(page.source.parent / path)) if path else page.source
        if not target.exists():
            raise PublishError(f"a link leads to {href}, and there is no such file")
        if target.is_dir():
            return ""
        if target not in self.addresses:
            self.addresses[target] = target.relative_to(self.root).as_posix()
            self.taken[self.addresses[target]] = target.read_bytes()
        own = "" if target == page.source and place else self.addresses[target]
        return f"{own}#{place}" if place else own


def linked(token: Token, addresses: dict[str, str]) -> Iterator[Token]:
    """Cut a piece of text where it names pages, and make links of the names."""
    for part in re.split(f"({'|'.join(map(re.escape, addresses))})", token.content):
        piece = Token(token.type, token.tag, 0, content=part, markup=token.markup)
        if part in addresses:
            yield from (Token("link_open", "a", 1, attrs={"href": addresses[part]}), piece, Token("link_close", "a", -1))
        elif part:
            yield piece


def formula(latex: str, options: dict) -> str:
    """Write a formula as MathML, which browsers draw by themselves. Raises PublishError for what is no LaTeX."""
    try:
        return MATHEMATICS.convert_with_local_state(latex, displaystyle=options["display_mode"])
    except LatexError as error:
        raise PublishError(f"the formula {latex!r} cannot be shown: {error}") from error


def code(text: str, language: str) -> str:
    """Write code with its words marked by their kind, for the style sheet to colour. Raises PublishError for a language that nobody knows."""
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound as error:
        raise PublishError(f"a block of code is said to be in {language!r}, which Pygments does not know") from error
    return f'<pre class="code"><code>{highlight(text, lexer, HtmlFormatter(nowrap=True)).rstrip()}</code></pre>'


def what_was_dropped(cell: nbformat.NotebookNode) -> list[str]:
    """Say what a cell shows in JupyterLab only: the build keeps no widgets, and nothing of a cell tagged `machine`."""
    if "machine" in cell.metadata.get("tags", []):
        return [WITHOUT_MACHINE]
    n_kept = sum(output.output_type == "display_data" for output in cell.outputs)
    return [WITHOUT_KERNEL] if len(re.findall(r"^display\(", cell.source, flags=re.MULTILINE)) > n_kept else []


def site(root: Path) -> dict[str, bytes]:
    """Make the site of a tree: what is in each of its files, by their addresses. Raises PublishError, naming the file, if a page cannot be made."""
    pages = find_pages(root)
    writer = Writer(root, pages)
    for page in pages:
        writer.write(page)
    looks = jinja2.Environment(loader=jinja2.FileSystemLoader(LOOK), autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    along = {address: name for address, name in ALONG.items() if address in writer.taken}
    row = [pages[0], *(page for page in pages if page.is_chapter)]
    ways = {page.address: (before, after) for before, page, after in zip([None, *row], row, [*row[1:], None])}
    files = {"style.css": (LOOK / "style.css").read_bytes()} | writer.taken
    for page in pages:
        before, after = ways.get(page.address, (None, None))
        framed = looks.get_template("page.html").render(page=page, pages=pages, along=along, before=before, after=after)
        files[page.address] = framed.encode()
    return files


def main(arguments: list[str] | None = None) -> int:
    """Write the site; return the exit status."""
    parser = argparse.ArgumentParser(description="Write the course as pages that link to each other.")
    parser.add_argument("folder", type=Path, help="where the pages go; index.html is the first")
    folder = parser.parse_args(arguments).folder
    try:
        files = site(ROOT)
    except PublishError as error:
        print(f"{error}\nnothing was written", file=sys.stderr)
        return 1
    for address, content in files.items():
        replace(folder / address, content)
    print(f"{sum(address.endswith('.html') for address in files)} pages: open {folder / 'index.html'} in a browser")
    return 0


if __name__ == "__main__":
    sys.exit(main())
