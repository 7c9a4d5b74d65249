"""The course as a site in a real browser, from the disk: nothing complains, nothing is asked from elsewhere, and it can be read in any light and width.

Pictures of what was seen lie in build/screenshots/site afterwards.
"""

import re

import pytest

from minilm.config import ROOT

PICTURES = ROOT / "build" / "screenshots" / "site"
# All pages of the site but the explorer, which has tests of its own.
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
PAGES = ["index", *CHAPTERS, "data", *sorted(path.stem.lower() for path in (ROOT / "docs").glob("*.md"))]
# Is the part of the page with this address near the top of the window? A page that is still loading may not have it yet.
WITHIN_REACH = "address => { const top = document.querySelector(address)?.getBoundingClientRect().top; return top >= 0 && top < 200; }"
# Letters against what is painted behind them, by the formula of WCAG 2.2: 4.5 is asked of text. Letters of one kind on one ground are named once.
FAINT = """() => {
    const channel = c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const painted = one => getComputedStyle(one).backgroundColor;
    const ground = one => numbers(painted(one))[3] !== 0 ? painted(one) : ground(one.parentElement);
    const kinds = new Map(), texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const one = texts.currentNode.parentElement;
        if (!texts.currentNode.data.trim() || !one.checkVisibility()) continue;
        const pair = getComputedStyle(one).color + " on " + ground(one);
        if (!kinds.has(pair)) kinds.set(pair, texts.currentNode.data.trim().slice(0, 30));
    }
    return [...kinds].filter(([pair]) => {
        const [a, b] = pair.split(" on ").map(colour => light(numbers(colour)) + 0.05);
        return !(Math.max(a, b) / Math.min(a, b) >= 4.5);
    }).map(([pair, text]) => `${text}: ${pair}`).concat(kinds.size > 3 ? [] : ["too few kinds of text were seen"]);
}"""
# What cannot be reached: wider than the window, and not in a box of its own that can be moved.
CUT = """() => [...document.querySelectorAll("main *")].filter(one => {
    if (one.getBoundingClientRect().right <= document.documentElement.clientWidth + 1) return false;
    for (let box = one.parentElement; box; box = box.parentElement) if (["auto", "scroll"].includes(getComputedStyle(box).overflowX)) return false;
    return true;
}).map(one => one.outerHTML.slice(0, 80))"""
# In pixels; the exponents of formulas may be smaller.
SMALLEST = """() => Math.min(...[...document.querySelectorAll("body *")]
    .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()) && !one.closest("math"))
    .map(one => parseFloat(getComputedStyle(one).fontSize)))"""
FORMULAS = """() => [...document.querySelectorAll("math")].map(one => [getComputedStyle(one).display, one.getBoundingClientRect().height])"""
# Roots whose sign is not drawn: they are no wider than what stands below them.
ROOTLESS = """() => [...document.querySelectorAll("msqrt")].filter(one => one.getBoundingClientRect().width < 4 + Math.max(
    ...[...one.children].map(part => part.getBoundingClientRect().right)) - one.firstElementChild.getBoundingClientRect().left).length"""
# Short numbers of tables, such as "0.638 (0.637 to 0.639)", that were broken into several lines.
BROKEN = """() => [...document.querySelectorAll("td")].filter(one => /^(?=.*[0-9]).{1,24}$/.test(one.innerText.trim()) && !one.querySelector("math, a, code")
    && one.clientHeight > 0 && (range => { range.selectNodeContents(one); return new Set([...range.getClientRects()].map(r => Math.round(r.bottom / 8))).size > 1; })
    (document.createRange())).map(one => one.innerText)"""
PICTURED = """async () => {
    const images = [...document.images];
    images.forEach(one => { one.loading = "eager"; });
    await Promise.all(images.map(one => one.decode()));
    return images.filter(one => !(one.naturalWidth > 100 && one.alt.length > 40 && one.getBoundingClientRect().width > 100)).map(one => one.outerHTML);
}"""


@pytest.fixture(scope="session")
def folder(course, tmp_path_factory):
    """The site on the disk."""
    folder = tmp_path_factory.mktemp("a course") / "with blanks ü"
    for address, content in course.items():
        (folder / address).parent.mkdir(parents=True, exist_ok=True)
        (folder / address).write_bytes(content)
    return folder


@pytest.fixture
def page(folder, one_browser, open_page):
    """A page of the browser, still empty."""
    with open_page(one_browser, folder.as_uri(), viewport={"width": 1280, "height": 1000}) as page:
        yield page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_in_any_light_and_width(page, folder, name):
    page.goto(f"{(folder / name).as_uri()}.html")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.evaluate(PICTURED) == []
    formulas = page.evaluate(FORMULAS)
    assert all(shown.endswith("math") and height > 8 for shown, height in formulas) and page.evaluate(ROOTLESS) == 0
    PICTURES.mkdir(parents=True, exist_ok=True)
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 1000})
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            assert page.evaluate(FAINT) == [], theme
            page.screenshot(path=PICTURES / f"{name}_{theme}_{width}.png")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT) == [] and page.evaluate(BROKEN) == [] and page.evaluate(SMALLEST) >= 12


def test_the_ground_follows_the_system(page, folder):
    grounds = set()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.goto((folder / "index.html").as_uri())
        grounds.add(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))
    assert grounds == {"rgb(255, 255, 255)", "rgb(27, 29, 33)"}


def test_a_reader_goes_through_the_course_from_first_page_to_last(page, folder):
    page.goto((folder / "index.html").as_uri())
    page.locator("article table").first.get_by_role("link").first.click()
    visited = []
    while True:
        page.wait_for_load_state()  # the link to the next page stands at the end of this one
        visited.append(re.search(r"/(\w+)\.html", page.url)[1])
        assert page.locator("#contents [aria-current=page]").first.inner_text() == page.locator("h1").inner_text()
        if not page.locator("a[rel=next]").count():
            break
        page.locator("a[rel=next]").click()
    assert visited == CHAPTERS
    page.locator("header .name").click()
    page.wait_for_url("**/index.html")


def test_a_solution_opens_by_keyboard_and_a_narrow_page_leads_to_its_contents(page, folder):
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto((folder / "02_tokenizer.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    hint = page.locator("details").first
    inside = hint.locator(":scope > :not(summary)").first
    assert not inside.is_visible()
    hint.locator("summary").focus()
    page.keyboard.press("Enter")
    assert inside.is_visible()
    page.get_by_role("link", name="Contents").click()
    page.wait_for_function(WITHIN_REACH, arg="#contents")
    page.locator("#contents").get_by_role("link", name="Traps").click()
    page.wait_for_function(WITHIN_REACH, arg="#Traps")


def test_the_explorer_opens_from_its_chapter(page, folder):
    page.goto((folder / "11_tradeoffs.html").as_uri())
    page.locator("article").get_by_role("link", name=re.compile("explorer|page", re.IGNORECASE)).first.click()
    page.locator(".minilm-explorer .contour").first.wait_for(state="attached")
    assert page.url.endswith("docs/explorer.html")
