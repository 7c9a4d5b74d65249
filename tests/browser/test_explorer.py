"""The explorer in a real browser, as a page from the disk: its mathematics are Python's, its sliders answer to mouse and keyboard, and nothing leaves the machine.

Pictures of what was seen lie in build/screenshots/explorer afterwards.
"""

import base64
import itertools
import json
import re
from statistics import median

import pytest

from minilm import explorer
from minilm.config import ROOT
from minilm.plots import short
from minilm.scaling import Hardware, Law, inference_optimum, training_flops

TINY = {"E": 0.9, "A": 60.0, "B": 90.0, "alpha": 0.35, "beta": 0.33}
PICTURES = ROOT / "build" / "screenshots" / "explorer"
MODULE = "data:text/javascript;base64," + base64.b64encode(explorer.CODE.read_bytes()).decode()
# Milliseconds from an input event until the frame that shows it is done: a message is taken up only after the frame.
REDRAW = """async input => {
    const times = [];
    for (let i = 0; i < 20; i++) {
        const start = performance.now();
        input.value = Number(input.min) + (0.3 + 0.02 * i) * (input.max - input.min);
        input.dispatchEvent(new Event("input", {bubbles: true}));
        await new Promise(done => requestAnimationFrame(() => { const {port1, port2} = new MessageChannel(); port1.onmessage = done; port2.postMessage(0); }));
        times.push(performance.now() - start);
    }
    return times;
}"""
OVERLAPS = """() => {
    const texts = [...document.querySelectorAll(".stage text")].filter(text => !text.hasAttribute("transform")).map(text => [text.textContent, text.getBoundingClientRect()]);
    return texts.flatMap(([one, a], i) => texts.slice(i + 1).filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3).map(([other]) => `${one} lies on ${other}`));
}"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll("body *")].filter(one => one.textContent && !["STYLE", "SCRIPT"].includes(one.tagName))
    .map(one => parseFloat(getComputedStyle(one).fontSize)))"""
CUT = """() => [...document.querySelectorAll(".stage text, .cards *, .controls *")].filter(one => {
    const box = one.getBoundingClientRect();
    return box.left < 0 || box.right > document.documentElement.clientWidth || one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0 && one.tagName !== "INPUT";
}).map(one => one.textContent)"""


@pytest.fixture
def address(tmp_path, monkeypatch):
    """The page as it would be written today, with a law of our own."""
    (tmp_path / "law.json").write_text(json.dumps({"law": TINY}))
    monkeypatch.setattr(explorer, "SWEEP", tmp_path / "law.json")
    (tmp_path / "explorer.html").write_text(explorer.explorer_page(), encoding="utf-8")
    return (tmp_path / "explorer.html").as_uri()


@pytest.fixture
def page(address, one_browser, open_page):
    """The page, opened."""
    with open_page(one_browser, address, wrong=("error", "warning"), viewport={"width": 1180, "height": 1000}) as page:
        page.goto(address)
        yield page


def slider(page, name: str):
    return page.locator(f'input[type=range][aria-label^="{name}"]').first


def control(page, name: str):
    return page.locator(f':is(select, input[type=number])[aria-label^="{name}"]')


def cards(page) -> list[str]:
    return [card.inner_text().replace("\xa0", " ") for card in page.locator("[role=status] section").all()]


def number(text: str) -> float:
    """A number as the explorer writes it: 1.4T, 3.15 × 10²³, 10²¹, 5,000."""
    front, _, raised = text.replace(",", "").partition("10") if re.search("10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]", text) else (text.replace(",", ""), "", "")
    if raised:
        exponent = int(raised.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
        return (float(front.split("×")[0]) if front.strip() else 1) * 10**exponent
    return float(front.rstrip("KMBT")) * {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(front[-1], 1)


NUMBER = r"((?:\d[\d.,]* × )?10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+|[\d.,]*\d[KMBT]?)"


def plan(text: str) -> tuple[float, float]:
    """The parameters and tokens that a card is about."""
    found = re.search(rf"{NUMBER} parameters on {NUMBER} tokens", text)
    return number(found[1]), number(found[2])


def after(words: str, text: str) -> float:
    return number(re.search(rf"{words}{NUMBER}", text)[1])


def law_of(name: str) -> Law:
    found = explorer.laws()[name]
    return Law(**{key: found[key] for key in TINY})


def close(one, other) -> bool:
    return one == pytest.approx(other, rel=0.006)  # what is written has three digits


def check_words(page, law: Law, n: float, d: float, served: float, hardware: Hardware) -> None:
    """What the cards say is what minilm.scaling says."""
    yours, best, cheapest, bill = cards(page)
    flops, loss = training_flops(n, d), law.loss(n, d)
    assert close(plan(yours), (n, d)) and close(after("Loss ", yours), loss) and close(after("token. ", yours), d / n)
    assert close(number(re.search(rf"{NUMBER} operations to train", yours)[1]), flops)
    optimum = law.optimum(flops)
    assert close(plan(best), optimum) and close(after("Loss ", best), law.loss(*optimum)) and close(number(re.search(rf"{NUMBER} tokens per", best)[1]), optimum[1] / optimum[0])
    lost = loss - law.loss(*optimum)
    assert abs(after("yours gives away ", best) - lost) <= 0.001 if "gives away" in best else lost < 0.001
    found = inference_optimum(law, loss, served)
    assert close(plan(cheapest), (found.n_params, found.n_tokens)) and close(after("(?:serve|train): ", cheapest), found.flops)
    assert close(after("yours: ", cheapest), flops + 2 * n * served)
    expected = hardware.cost(flops)
    unit = {"Wh": 1e-3, "kWh": 1, "MWh": 1e3, "GWh": 1e6}
    energy = re.search(rf"To train: {NUMBER} ([kMG]?Wh)", bill)
    assert close(number(energy[1]) * unit[energy[2]], expected["kwh"])
    time = re.search(rf"{NUMBER} (hours|minutes|seconds)", bill)
    assert close(number(time[1]) / {"hours": 1, "minutes": 60, "seconds": 3600}[time[2]], expected["hours"])
    assert close(after(r"and \$", bill), expected["money"]) if expected["money"] >= 1 else True


def test_the_mathematics_are_those_of_python(one_browser):
    laws = [explorer.laws()[name] for name in explorer.LABELS] + [TINY]
    machine = {"peak_flops": 65e12, "utilisation": 0.3, "watts": 70, "overhead": 1.2, "price_per_hour": 0.35}
    grid = list(itertools.product([1e4, 3e6, 7e9, 2e12], [1e6, 5e9, 1.4e12, 1e14], [0, 1e9, 1e16]))
    page = one_browser.new_page()
    page.goto("about:blank")
    ours = page.evaluate("""async ([code, laws, grid, machine]) => {
        const js = await import(code);
        return laws.map(law => grid.map(([n, d, served]) => {
            const level = js.loss(law, n, d), plan = js.inferenceOptimum(law, level, served), used = js.cost(machine, n * d);
            return [level, ...js.optimum(law, 6 * n * d), js.tokensFor(law, level * 1.01, n), plan.n_params, plan.n_tokens, plan.flops, used.hours, used.kwh, used.money];
        }));
    }""", [MODULE, laws, grid, machine])  # fmt: skip
    for law, rows in zip(laws, ours):
        law = Law(**{key: law[key] for key in TINY})
        for (n, d, served), row in zip(grid, rows):
            found = inference_optimum(law, law.loss(n, d), served)
            theirs = [law.loss(n, d), *law.optimum(6 * n * d), float(law.tokens_for(1.01 * law.loss(n, d), n)), found.n_params, found.n_tokens, found.flops, *Hardware(**machine).cost(n * d).values()]
            # Where nearly endless text is needed, its amount hangs on the last digits of the size, by so many per cent for one:
            lack = law.A / found.n_params**law.alpha
            steep = law.alpha * lack / (law.beta * (law.loss(n, d) - law.E - lack))
            for i, (one, other) in enumerate(zip(row, theirs)):
                assert one == pytest.approx(other, rel=1e-6 * max(1, steep) if i == 5 else 1e-6), (law, n, d, served, i)
    asked = "async ([code, law]) => { const js = await import(code); return [js.tokensFor(law, 2, 1e3), ...[[1.6, 1], [2, -1], [NaN, 1]].map(([level, served]) => { try { return js.inferenceOptimum(law, level, served); } catch (error) { return error.message; } })]; }"
    endless, *refused = page.evaluate(asked, [MODULE, laws[0]])
    assert endless == float("inf") and refused[0] == "a loss of 1.6 cannot be reached: the law ends at E = 1.69" and refused[1].startswith("-1 tokens served") and "NaN" in refused[2]
    numbers = [0, 0.123456, 5, 999.4, 999.6, 260_032, 999_600, 1_038_464, 6.7e9, 1.4e12]
    assert page.evaluate("async ([code, all]) => { const js = await import(code); return all.map(js.short); }", [MODULE, numbers]) == [short(one) for one in numbers]


def test_size_keeps_compute_and_tokens_keep_size_and_compute_keeps_their_ratio(page):
    (n, d), before = plan(cards(page)[0]), cards(page)
    slider(page, "Size").press("ArrowLeft")
    slider(page, "Size").press("PageDown")
    moved_n, moved_d = plan(cards(page)[0])
    assert cards(page)[0] != before[0] and moved_n < 0.8 * n and close(moved_n * moved_d, n * d) and plan(cards(page)[1]) == plan(before[1])
    slider(page, "Tokens;").press("PageUp")
    more_n, more_d = plan(cards(page)[0])
    assert more_n == moved_n and more_d > 1.2 * moved_d and plan(cards(page)[1]) != plan(before[1])
    box = slider(page, "Compute").bounding_box()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + box["height"] / 2)
    last_n, last_d = plan(cards(page)[0])
    assert last_n < more_n / 10 and close(last_d / last_n, more_d / more_n)
    assert slider(page, "Size").get_attribute("aria-valuetext") == f"{short(last_n)} parameters"
    slider(page, "Compute").fill("20")
    assert close(training_flops(*plan(cards(page)[0])), 1e20)
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    assert plan(cards(page)[0])[0] > 5 * last_n


def test_the_words_say_what_the_law_says_whichever_is_chosen(page):
    machine = Hardware(peak_flops=989e12, watts=700, **explorer.ASSUMED)
    for name in ("Besiroglu et al. 2024", "Hoffmann rounded", "Hoffmann unrounded"):
        control(page, "Law").select_option(name)
        check_words(page, law_of(name), 1.75e11, 3e11, 1e12, machine)
    slider(page, "Tokens served").press("Home")
    assert "serving nothing" in cards(page)[2] and "With serving" not in cards(page)[3]
    check_words(page, law_of("Hoffmann unrounded"), 1.75e11, 3e11, 0, machine)
    control(page, "Law").select_option("our sweep")
    check_words(page, Law(**TINY), 1e6, 1e7, 1e8, machine)
    assert page.locator(".axes text").first.inner_html() == "10K"
    control(page, "Law").select_option("Hoffmann rounded")
    assert plan(cards(page)[0]) == (1e6, 1e7), "a point that is in the plane of the next law stays"
    page.locator('[role=toolbar] button[aria-label^="Gopher"]').click()
    check_words(page, law_of("Hoffmann rounded"), 2.8e11, 3e11, 1e8, machine)


def test_the_button_goes_to_the_optimum(page):
    page.get_by_role("button", name="Go to the optimum").press("Enter")
    yours, best, *_ = cards(page)
    assert plan(yours) == plan(best) and close(plan(yours), law_of("Besiroglu et al. 2024").optimum(3.15e23)) and "yours is as good" in best


def test_every_assumption_about_the_machine_can_be_changed(page):
    law = law_of("Besiroglu et al. 2024")
    control(page, "Machine").select_option("NVIDIA T4")
    check_words(page, law, 1.75e11, 3e11, 1e12, Hardware(peak_flops=65e12, watts=70, **explorer.ASSUMED))
    chosen = {"Peak": 100, "Utilisation": 25, "Power at most": 90, "Building": 1.5, "Price": 0.3}
    for name, value in chosen.items():
        control(page, name).fill(str(value))
    machine = Hardware(peak_flops=1e14, utilisation=0.25, watts=90, overhead=1.5, price_per_hour=0.3)
    check_words(page, law, 1.75e11, 3e11, 1e12, machine)
    for wrong in ("", "0", "140"):
        control(page, "Utilisation").fill(wrong)
        assert control(page, "Utilisation").get_attribute("aria-invalid") == "true" and "from 0.01 to 100" in control(page, "Utilisation").get_attribute("title")
        check_words(page, law, 1.75e11, 3e11, 1e12, machine)
    control(page, "Utilisation").fill("50")
    assert control(page, "Utilisation").get_attribute("aria-invalid") == "false"
    check_words(page, law, 1.75e11, 3e11, 1e12, Hardware(peak_flops=1e14, utilisation=0.5, watts=90, overhead=1.5, price_per_hour=0.3))


def test_a_model_tells_what_its_compute_could_have_bought(page):
    tip, gpt3 = page.locator(".tip"), page.locator('[role=toolbar] button[aria-label^="GPT-3"]')
    said = "GPT-3: 175B parameters on 300B tokens. By this law the same compute would have trained 53B on 990B, to a loss of 1.992 instead of 2.009."
    assert tip.is_hidden()
    gpt3.hover()
    assert tip.inner_text() == said
    page.mouse.move(5, 5)
    assert tip.is_hidden()
    page.locator('[role=toolbar] button[tabindex="0"]').focus()
    assert tip.inner_text().startswith("CS336 assignment 1 model: 22.7M parameters")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
        if tip.inner_text() == said:
            break
    assert tip.inner_text() == said and gpt3.get_attribute("aria-label") == said and page.locator('[role=toolbar] button[tabindex="0"]').count() == 1
    page.locator('[role=toolbar] button[aria-label^="Llama 3 8B"]').focus()
    assert "Being smaller, it is cheaper to use: 16B operations a token, not " in tip.inner_text()
    page.keyboard.press("Enter")
    assert plan(cards(page)[0]) == (8e9, 1.5e13)
    control(page, "Law").select_option("Hoffmann rounded")
    assert "24.5B on 2.14T, to a loss of 1.954 instead of 2.002" in gpt3.get_attribute("aria-label")


def test_the_ring_can_be_dragged(page):
    box = page.locator(".plane").bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.8 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    assert close(plan(cards(page)[0]), (10**9.5, 10**10.5))
    page.mouse.move(box["x"] + box["width"] + 300, box["y"] - 20)
    page.mouse.up()
    assert plan(cards(page)[0]) == (1e13, 1e14), "it stops at the edge"
    page.mouse.move(box["x"], box["y"] + 100)
    assert plan(cards(page)[0]) == (1e13, 1e14)


def test_nothing_breaks_at_the_ends(page):
    keys = [("Home", "Home"), ("Home", "End"), ("End", "Home"), ("End", "End")]
    for law, (tokens, rest), served in itertools.product(explorer.laws(), keys, ("Home", "End")):
        control(page, "Law").select_option(law)
        for name, key in (("Tokens;", tokens), ("Size", rest), ("Compute", rest), ("Tokens served", served)):
            slider(page, name).press(key)
        said, drawn = " ".join(cards(page)), page.locator(".stage svg").inner_html()
        assert not re.search("NaN|Infinity|undefined", said + drawn), (law, tokens, rest, served)
        assert page.locator(".stage .ring").count() == 1
        marks = page.locator(".stage .diamond, .stage .star").count()
        assert marks + said.count("beyond the edge of the picture") == 2


def test_python_hears_and_is_heard(one_browser):
    """What anywidget gives to the code: a model with get, set, on and save_changes."""
    page, data = one_browser.new_page(), explorer.explorer_data()
    page.goto("about:blank")
    page.evaluate("""async ([code, data]) => {
        const { default: { render } } = await import(code), heard = {};
        window.saved = 0; window.data = data; window.heard = heard;
        window.end = render({ el: document.body, model: { get: name => data[name], set: (name, value) => { data[name] = value; }, save_changes: () => { window.saved++; },
            on: (event, call) => { heard[event] = call; }, off: event => { delete heard[event]; } } });
    }""", [MODULE, data])  # fmt: skip
    slider(page, "Tokens;").press("Home")
    assert page.evaluate("window.data.state.n_tokens") == pytest.approx(1e7) and page.evaluate("window.saved") >= 1
    explorer.check_state(page.evaluate("window.data.state"), data["laws"], data["hardware"])
    page.evaluate("state => { window.data.state = state; window.heard['change:state'](); }", data["state"] | {"law": "Hoffmann rounded", "n_params": 7e10, "n_tokens": 1.4e12})
    assert plan(cards(page)[0]) == (7e10, 1.4e12) and control(page, "Law").input_value() == "Hoffmann rounded"
    page.evaluate("window.end()")
    assert page.evaluate("Object.keys(window.heard)") == []


def test_it_answers_within_a_tenth_of_a_second(page, capsys):
    slider(page, "Size").evaluate(REDRAW)  # the first are slower, while the browser compiles
    times = {}
    for name in ("Compute", "Size", "Tokens", "Tokens served"):
        for _ in range(10):  # the best counts: other programs may be busy
            times[name] = min(times.get(name, 1e9), median(slider(page, name).evaluate(REDRAW)))
            if times[name] < 100:
                break
    with capsys.disabled():
        print("\nexplorer, median of 20 redraws:", ", ".join(f"{name} {time:.0f} ms" for name, time in times.items()))
    assert max(times.values()) < 100


@pytest.mark.parametrize("width", [360, 760, 1180])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_in_any_light_and_width(page, theme, width):
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 900})
    PICTURES.mkdir(parents=True, exist_ok=True)
    for law in explorer.laws():
        control(page, "Law").select_option(law)
        page.screenshot(path=PICTURES / f"{law.split()[0]}_{law.split()[-1]}_{theme}_{width}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERLAPS) == [] and page.evaluate(CUT) == [] and page.evaluate(SMALLEST) >= 12
        assert page.locator(".contour").count() >= 5 and page.locator(".level").count() >= 5
    ground = page.locator(".minilm-explorer").evaluate("one => getComputedStyle(one).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if theme == "light" else "rgb(27, 29, 33)")
    page.evaluate("light => { document.body.dataset.jpThemeLight = light; }", str(theme == "dark").lower())  # JupyterLab's theme goes before the system's
    assert page.locator(".minilm-explorer").evaluate("one => getComputedStyle(one).backgroundColor") != ground


def test_the_focus_can_be_seen_and_reaches_everything(page):
    reached = []
    for _ in range(13):
        page.keyboard.press("Tab")
        name, outline = page.evaluate("() => [document.activeElement.ariaLabel ?? document.activeElement.textContent, getComputedStyle(document.activeElement).outlineStyle]")
        assert outline == "solid", name
        reached.append(name.split(";")[0].split(",")[0].split(":")[0])
    assert reached == ["CS336 assignment 1 model", "Compute", "Size", "Tokens", "Go to the optimum", "Tokens served", "Law", "Machine", "Peak", "Utilisation", "Power at most",
                       "Building and cooling", "Price"]  # fmt: skip
