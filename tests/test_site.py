"""The course as a site: nothing of a notebook is lost, every link leads somewhere, formulas are MathML, nothing is asked from elsewhere.

What cannot be shown is refused by name. How the pages look is tested in browser/test_site.py.
"""

import base64
import os
import re
from html.parser import HTMLParser

import nbformat
import pytest

from minilm.config import ROOT

CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DOCUMENTS = ["data", *(path.stem.lower() for path in (ROOT / "docs").glob("*.md"))]
EMPTY = {"meta", "link", "img", "br", "hr", "input", "mspace"}  # elements without an end
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAQAAAACCAAAAABawyK/AAAAEklEQVR4nGNsYGBgYGJgYGAAAASeAISGqV6rAAAAAElFTkSuQmCC")  # four pixels by two


class Seen(HTMLParser):
    """What stands in a page, read by a parser that knows nothing of how it was written."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.ids, self.links, self.loaded, self.pictures, self.codes, self.prose, self.tags = [], [], [], [], [], [], [], []
        self.feed(text)
        assert self.open == [], "elements that were not closed"

    def handle_starttag(self, tag, attributes):
        about = dict(attributes)
        self.tags.append(tag)
        self.ids += [about["id"]] if "id" in about else []
        self.links += [about["href"]] if tag == "a" and "href" in about else []
        self.loaded += [about[name] for name in ("src", "href") if tag != "a" and name in about]
        self.pictures += [about.get("alt", "")] if tag == "img" else []
        self.codes += [""] if tag == "pre" and about.get("class") == "code" else []
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in EMPTY:
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if "pre" in self.open and self.codes and "code" in self.open:
            self.codes[-1] += data
        if not {"pre", "code", "style"} & set(self.open):
            self.prose.append(data)


@pytest.fixture(scope="module")
def seen(course) -> dict[str, Seen]:
    return {address: Seen(content.decode()) for address, content in course.items() if address.endswith(".html") and "/" not in address}


def cells(path, kind: str) -> list:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def test_every_chapter_and_document_is_a_page(seen):
    names = ["index", *(path.stem for path in CHAPTERS), *DOCUMENTS]
    assert len(names) >= 18 and sorted(seen) == sorted(f"{name}.html" for name in names)


def test_every_link_and_every_place_in_a_page_is_there(course, seen):
    for address, page in seen.items():
        assert len(page.ids) == len(set(page.ids)), f"{address}: two places of one name"
        for link in page.links + page.loaded:
            if re.match(r"https?:|data:,$", link):
                continue
            file, _, place = link.partition("#")
            target = os.path.normpath(file) if file else address
            assert target in course, f"{address} leads to {link}"
            assert not place or place in seen[target].ids, f"{address} leads to {link}"


def test_a_page_loads_only_what_lies_beside_it_and_no_script(seen):
    for address, page in seen.items():
        assert not [link for link in page.loaded if re.match(r"\w+:|//", link) and link != "data:,"], address
        assert "script" not in page.tags and "style.css" in page.loaded, address


def test_the_chapters_are_a_row_and_every_page_lists_them_all(course, seen):
    row = ["index.html", *(f"{path.stem}.html" for path in CHAPTERS)]
    for place, address in enumerate(row):
        ways = dict(re.findall(r'<a rel="(prev|next)" href="([^"]+)"', course[address].decode()))
        assert ways == {name: row[other] for name, other in (("prev", place - 1), ("next", place + 1)) if 0 <= other < len(row)}
    for address, page in seen.items():
        assert set(row) | {f"{name}.html" for name in DOCUMENTS} | {"docs/explorer.html"} <= set(page.links), address


def test_the_first_page_leads_from_the_table_to_the_chapters(course):
    rows = dict(re.findall(r'<td><a href="([^"]+)">[^<]+</a></td>\s*<td>([^<]+)</td>', course["index.html"].decode()))
    titles = {f"{path.stem}.html": cells(path, "markdown")[0].source.split("\n")[0].split(" · ")[1] for path in CHAPTERS}
    assert rows == titles


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_page_has_all_code_output_and_pictures_of_its_notebook(course, seen, path):
    page, text = seen[f"{path.stem}.html"], course[f"{path.stem}.html"].decode()
    codes = cells(path, "code")
    shown = [code.strip("\n") for code in page.codes]
    assert [cell.source for cell in codes if cell.source.strip("\n") not in shown] == []
    outputs = [output for cell in codes for output in cell.outputs]
    for output in outputs:
        if output.output_type == "stream":
            assert re.sub(r"[&<>\"']", "", output.text)[:200] in re.sub(r"&\w+;|&#x27;", "", text), output.text
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert page.pictures == [output.metadata["image/png"]["alt"] for output in pictures]
    kept = [course[name] for name in page.loaded if name.endswith(".png")]
    assert kept == [base64.b64decode(output.data["image/png"]) for output in pictures]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_formula_is_mathml(seen, path):
    prose = "\n".join(re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.DOTALL) for cell in cells(path, "markdown"))
    formulas = re.findall(r"\$\$.+?\$\$|(?<![\\$])\$[^$\n]+\$", prose, flags=re.DOTALL)
    page = seen[f"{path.stem}.html"]
    assert page.tags.count("math") == len(formulas)
    assert not [words for words in page.prose if "$" in words or re.search(r"\\[a-z]{2}", words)], "a formula was left as it was typed"


def test_what_needs_a_kernel_or_this_computer_says_so(course, publish):
    """A control that was dropped leaves a line where it stood, and a cell about the computer another one."""
    for path in CHAPTERS:
        text, codes = course[f"{path.stem}.html"].decode(), cells(path, "code")
        assert text.count(publish.WITHOUT_MACHINE) == sum("machine" in cell.metadata.get("tags", []) for cell in codes)
        live = [cell for cell in codes if re.search(r"^display\((?!Markdown)", cell.source, flags=re.MULTILINE)]
        assert text.count(publish.WITHOUT_KERNEL) == len(live) > 0


def test_hints_and_solutions_are_folded(course):
    for path in CHAPTERS:
        folded = sum(cell.source.count("<details>") for cell in cells(path, "markdown"))
        text = course[f"{path.stem}.html"].decode()
        assert text.count("<details>") == text.count("<summary>") == text.count("</details>") >= folded > 10 and "<details open" not in text


WORDS = """# Words: all of them

## A word

Chapter 01, chapter 09, notebooks/01_one.ipynb; [to chapter 01](#a-word).

## A word

```sh
make lab  # chapter 01
```
"""
ONE = """# %% [markdown]
# # 01 · One?
#
# Chapter 01 says $x^2$, and [that](../docs/WORDS.md#a-word).

# %%
display(slider)
print("<b>")

# %% tags=["machine"]
print(3)

# %%
silent = 4
"""


@pytest.fixture
def tree(tmp_path):
    """A course of one chapter, on which things can be broken."""
    for folder in ("notebooks/src", "docs/images", "data"):
        (tmp_path / folder).mkdir(parents=True)
    files = {
        "README.md": "# small: a course\n\nSee [one](notebooks/01_one.ipynb), [a folder](docs/images), ![a dot](docs/images/dot.png) and `docs/WORDS.md`.",
        "docs/WORDS.md": WORDS,
        "data/README.md": "# Data",
        "notebooks/src/01_one.py": ONE,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "docs" / "images" / "dot.png").write_bytes(PNG)
    return tmp_path


def built(tree, build, *outputs: dict):
    """Write the notebook of the small course, whose first code cell has shown this."""
    source = tree / "notebooks" / "src" / "01_one.py"
    notebook = build.read_source(source)
    first, *others = (cell for cell in notebook.cells if cell.cell_type == "code")
    first.outputs = [nbformat.from_dict(output) for output in outputs]
    for cell in (first, *others):
        cell.execution_count = 1
    nbformat.write(notebook, tree / "notebooks" / "01_one.ipynb")
    return tree


def shown(kind: str, text: str, **about) -> dict:
    return {"output_type": "display_data", "data": {kind: text}, "metadata": about}


def test_links_lead_to_pages_and_files_are_taken_along(tree, build, publish):
    files = publish.site(built(tree, build))
    index, words, chapter = (re.search("<article>(.*)</article>", files[name].decode(), re.DOTALL)[1] for name in ("index.html", "words.html", "01_one.html"))
    assert '<a href="01_one.html">one</a>' in index and "<a>a folder</a>" in index and '<a href="words.html"><code>docs/WORDS.md</code></a>' in index
    assert '<img src="docs/images/dot.png" alt="a dot"' in index and files["docs/images/dot.png"] == PNG
    assert '<a href="01_one.html">Chapter 01</a>, chapter 09, <a href="01_one.html">notebooks/01_one.ipynb</a>; <a href="#a-word">to chapter 01</a>.' in words
    assert 'id="a-word">' in words and 'id="a-word-1">' in words and words.count("<a ") == 3
    assert '<a href="words.html#a-word">that</a>' in chapter and "Chapter 01 says" in chapter, "a page does not lead to itself"


def test_each_kind_of_output_is_shown_and_what_is_missing_is_named(tree, build, publish):
    png = base64.b64encode(PNG).decode()
    picture = shown("image/png", png, **{"image/png": {"alt": 'A "dot" & more', "width": 2}})
    stream = {"output_type": "stream", "name": "stdout", "text": "<b>\n"}
    bare = publish.site(built(tree, build, stream))["01_one.html"].decode()
    assert "<pre>&lt;b&gt;\n</pre>" in bare and bare.count(publish.WITHOUT_KERNEL) == 1 and bare.count(publish.WITHOUT_MACHINE) == 1
    others = (shown("text/markdown", "**as text**"), shown("text/html", "<i>as HTML</i>"), shown("text/plain", "a < b"))
    full = publish.site(built(tree, build, picture, *others))
    page = full["01_one.html"].decode()
    assert 'alt="A &quot;dot&quot; &amp; more" width="2" height="1"' in page and full["figures/01_one-2-1.png"] == PNG
    assert "<strong>as text</strong>" in page and "<i>as HTML</i>" in page and "<pre>a &lt; b</pre>" in page and publish.WITHOUT_KERNEL not in page


@pytest.mark.parametrize("name, old, new, said", [
    ("docs/WORDS.md", "[to chapter 01](#a-word)", "[to](NOWHERE.md)", r"docs/WORDS.md: a link leads to NOWHERE.md, and there is no such file"),
    ("docs/WORDS.md", "# Words: all of them\n", "", r"a page needs a line `# Title`; there is none in the text that begins '\\n## A word"),
    ("docs/WORDS.md", "```sh", "```shh", r"docs/WORDS.md: a block of code is said to be in 'shh', which Pygments does not know"),
    ("README.md", "![a dot]", "![]", r"README.md: the picture docs/images/dot.png has no words"),
    ("notebooks/src/01_one.py", "$x^2$", r"$\\frac{x$", r"notebooks/01_one.ipynb: cell 1 \(markdown, '# 01 · One\?'\): the formula '.*frac\{x' cannot be shown: "),
])  # fmt: skip
def test_what_cannot_be_shown_is_refused_by_name(tree, build, publish, name, old, new, said):
    text = (tree / name).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tree / name).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(publish.PublishError, match=said):
        publish.site(built(tree, build))


@pytest.mark.parametrize("output, said", [
    (shown("image/png", base64.b64encode(PNG).decode()), "a figure without words for those who cannot see it"),
    (shown("application/pdf", ""), "and this cell shows application/pdf"),
    ({"output_type": "error", "ename": "KeyError", "evalue": "", "traceback": []}, "and this cell shows error"),
])  # fmt: skip
def test_an_output_that_a_page_cannot_have_is_refused(tree, build, publish, output, said):
    with pytest.raises(publish.PublishError, match=rf"notebooks/01_one.ipynb: cell 2 \(code, 'display\(slider\)'\): .*{said}"):
        publish.site(built(tree, build, output))


def test_a_notebook_that_is_not_its_source_is_not_published_and_nothing_is_written(tree, build, publish, monkeypatch, capsys):
    built(tree, build)
    source = tree / "notebooks" / "src" / "01_one.py"
    source.write_text(source.read_text(encoding="utf-8").replace("slider", "sliders"), encoding="utf-8")
    monkeypatch.setattr(publish, "ROOT", tree)
    assert publish.main([str(tree / "site")]) == 1
    said = capsys.readouterr().err
    assert "01_one.ipynb has drifted from its source; `make notebooks` mends it\n  cell 2 (code, 'display(sliders)')" in said
    assert said.endswith("nothing was written\n")
    assert not (tree / "site").exists()
    built(tree, build)
    assert publish.main([str(tree / "site")]) == 0
    written = {path.relative_to(tree / "site").as_posix(): path.read_bytes() for path in (tree / "site").rglob("*") if path.is_file()}
    assert written == publish.site(tree) and f"open {tree / 'site' / 'index.html'}" in capsys.readouterr().out
