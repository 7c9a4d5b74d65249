"""The figures draw what they are given, the same bytes each time, in colours that everyone can tell apart."""

import base64
import inspect
import itertools
import math
import struct
import zlib
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from minilm import plots
from minilm.plots import COLOURS, GREY, VERMILION, exam_scores, giants_and_dwarfs, loss_curve, short, show, show_table, story_grades
from minilm.scaling import Law
from tests.figures import problems


@pytest.fixture
def ax():
    with plots.style():
        fig, ax = plt.subplots()
    yield ax
    plt.close(fig)


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, as (data, metadata)."""
    calls = []
    monkeypatch.setattr("minilm.plots.look.display", lambda data, raw, metadata=None: calls.append((data, metadata)))
    return calls


MODELS = [
    {"name": "A", "n_params": 1e9, "n_tokens": 3e11, "group": "giants", "side": "left"},
    {"name": "B", "n_params": 7e10, "n_tokens": 1.4e12, "group": "balanced"},
    {"name": "C", "n_params": 1e6, "n_tokens": 4e8, "group": "ours", "side": "above"},
    {"name": "D", "n_params": 5e11, "n_tokens": 2e11, "group": "giants", "side": "below"},
]
MAP = [SimpleNamespace(source="00", target="01", idea="bytes", needed=False), SimpleNamespace(source="00", target="02", idea="a model", needed=True)]
LOG = [{"step": i, "tokens": 100 * i, "loss": 5 - 0.01 * i + 0.3 * (i % 2)} for i in range(1, 201)]


def draw(ax, kind):
    match kind:
        case "giants_and_dwarfs":
            return giants_and_dwarfs(ax, MODELS)
        case "exam_scores":
            return exam_scores(ax, {"A": 25.9, "B": 67.6}, {"guessing": 25}, marked=["B"])
        case "story_grades":
            return story_grades(ax, {"A": {"grammar": 5, "plot": 3}, "B": {"grammar": 9, "plot": 7}})
        case "loss_curve":
            return loss_curve(ax, LOG, label="ours")
        case "equal_compute":
            plots.equal_compute(giants_and_dwarfs(ax, MODELS), 6e23)
        case "token_boxes":
            plots.token_boxes(ax, {"0 merges": list("a cat"), "1 merge": ["a", " c", "a", "t"]})
        case "chapter_map":
            plots.chapter_map(ax, {"00": "first", "01": "second", "02": "third"}, MAP)
        case "work_per_merge":
            plots.work_per_merge(ax, {"naive": [1e6, 9e5], "index": [10, 3000]})
        case "by_vocabulary":
            plots.by_vocabulary(ax, RUNS, "bits", "bits per byte")
        case "table_and_body":
            plots.table_and_body(ax, [256, 8192], d_model=128, n_layers=4)
        case "token_counts":
            plots.token_counts(ax, {"English": 17, "Hindi": 151}, {"English": 63, "Hindi": 151})
        case "rows_by_frequency":
            plots.rows_by_frequency(ax, [0, 0, 5, 200], [4.1, 4.2, 2, 1])
        case "zipf":
            plots.zipf(ax, {"a": [(1, 900), (2, 70), (9, 1)], "b": [(1, 800), (40, 0.5)]}, {1: "the"})
        case "growth":
            plots.growth(ax, {"a": [(10, 5), (20, 8)], "b": [(10, 6), (20, 11)]}, 15)
        case "shares_beside":
            plots.shares_beside(ax, {"a": {"x": 0.5, "y": 0.1}, "b": {"x": 0.25, "y": 0.4}})
        case "shared_runs":
            plots.shared_runs(ax, {"sound": [0, 0.1], "copy": [1]}, 0.5)
        case "lines":
            plots.lines(ax, [1, 2, 4], {"a": [3, 2, 1], "b": [9, 8, 7]}, "x", "y")
        case "descent":
            plots.descent(ax, np.square, np.array([-2, 1.0]), (-3, 3))
        case "toward":
            plots.toward(ax, [6, 4, 3], 2.5, "counted")
        case "pulls":
            plots.pulls(ax, [0.75, 0.25], [0.75, -0.75], 1)
        case "next_token_table":
            plots.next_token_table(ax, np.array([[0.1, 0.9], [0, 1]]), [" a", "\n"])
        case "ladder":
            plots.ladder(ax, {"uniform": 4.0, "bigram": 2.125})
        case "weight_map":
            plots.weight_map(ax, [[1, 0], [0.25, 0.75]], [" a", "cat"])
        case "clock_hands":
            plots.clock_hands(ax, [1, 1j], [1j, -1])
        case "score_by_distance":
            plots.score_by_distance(ax, [4, 2, 3], 1)
        case "looked_at":
            plots.looked_at(ax, [" Mia", " ran", " to"], [0.7, 0.2, 0.1])
        case "knocked_out":
            plots.knocked_out(ax, {"0": (1, 0.1), "1": (3, 0.2)}, ("names", "others"))
        case "block_diagram":
            plots.block_diagram(ax, "ours", ("norm", "attention"), ("norm", "feed-forward"), "embedding", "head")
        case "where_parameters_live":
            plots.where_parameters_live(ax, {"a": (1, 1, 2, 0.1), "b": (3, 1, 4, 0.1)})
        case "first_losses":
            plots.first_losses(ax, [0.02, 1], [8.3, 50], 8.32)
        case "lens":
            plots.lens(ax, [" a", " cat"], [[" a", " cat"], [" cat", " sat"]], [[0.9, 0.5], [0.1, 0.7]], [" cat", ""])
        case "differences":
            plots.differences(ax, {"better": (-0.02, 0.01), "unclear": (0.01, 0.02), "worse": (0.09, 0.01)}, "bits")
        case "paths_in_valley":
            plots.paths_in_valley(ax, {"descent": [(-8, 1), (-6, -0.5)], "AdamW": [(-8, 1), (-7, 0)]}, 100)
        case "schedule":
            plots.schedule(ax, [0.5, 1, 0.5, 0])
        case "gallery":
            plots.gallery([ax], {"A": ([9, 5, 4], [6, 5, 3])}, 5.25)
        case "rate_sweep":
            plots.rate_sweep(ax, [0.01, 0.1], {"warm": [3, 4], "cold": [3, 5]}, ("frequencies", 5.25))
        case "apart":
            plots.apart(ax, [1, 2], {"resumed": [0, 0], "weights": [0, 0.1]})
        case "next_token_bars":
            plots.next_token_bars(ax, [" cat", " dog"], [0.75, 0.25], [1, 0])
        case "drawn_shares":
            plots.drawn_shares(ax, [" Mia", "end"], [1, 0], {"by hand": [0.2, 0.8]})
        case "against_temperature":
            plots.against_temperature(ax, [0, 1], {"a": [(0.9, 0.01), (0.5, 0.1)]}, {"real": 0.95})
        case "intensity":
            plots.intensity(ax, [1, 4], {"free": [1, 4], "8 heads": [1, 2]}, 295, "the machine")
        case "with_ranges":
            plots.with_ranges(ax, {"a": [(1e6, 0.5, 0.4, 0.7), (1e5, 1, 1, 1)]}, "parameters", "bits")
        case "expected_band":
            plots.expected_band(ax, [20, 40, 60], [4, 3, 2.5], [5, 4, 2.75])
        case "forecast_lines":
            plots.forecast_lines(ax, [1, 2], [3, 2], [2, 1], [4, 3])
        case "with_lowest":
            plots.with_lowest(ax, [1e9, 2e9, 4e9], {"a": [3, 1, 2], "b": [np.inf, 4, 3]}, "parameters", "operations")
        case "shares_in_rows":
            plots.shares_in_rows(ax, {"a": {"x": (0.5, 0.4, 0.7), "y": (1, 0.9, 1)}, "b": {"y": (0.25, 0.25, 0.25)}}, {"x": 0.5})
        case "found_shares":
            plots.found_shares(ax, [0.8, 0.85], 50)
        case "valleys":
            plots.valleys(ax, {1e12: (np.array([1e5, 2e5, 4e5]), np.array([3, 2.5, 3]))}, {1e12: (2e5, 2.5)})
        case _:
            raise ValueError(f"how {kind} is drawn is not said here")
    return ax


RUNS = [{"corpus": name, "vocab_size": size, "bits": bits} for name, size, bits in (("a", 257, 1.2), ("a", 257, 1.0), ("a", 512, 0.9), ("b", 257, 1.3))]
KINDS = ["giants_and_dwarfs", "chapter_map", "exam_scores", "story_grades", "loss_curve", "equal_compute", "token_boxes", "work_per_merge", "by_vocabulary",
         "table_and_body", "token_counts", "rows_by_frequency", "zipf", "growth", "shares_beside", "shared_runs", "lines", "descent", "toward", "pulls",
         "next_token_table", "ladder", "weight_map", "clock_hands", "score_by_distance", "looked_at", "knocked_out", "block_diagram",
         "where_parameters_live", "first_losses", "lens", "differences", "paths_in_valley", "schedule", "gallery", "rate_sweep", "apart", "next_token_bars",
         "drawn_shares", "against_temperature", "intensity", "with_ranges", "expected_band", "forecast_lines", "with_lowest", "valleys",
         "shares_in_rows", "found_shares"]  # fmt: skip


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def chunks_of(png: bytes) -> dict[bytes, bytes]:
    chunks, place = {}, 8
    while place < len(png):
        size = struct.unpack(">I", png[place : place + 4])[0]
        chunks[png[place + 4 : place + 8]] = png[place + 8 : place + 8 + size]
        assert zlib.crc32(png[place + 4 : place + 8 + size]) == struct.unpack(">I", png[place + 8 + size : place + 12 + size])[0]
        place += 12 + size
    return chunks


def test_a_figure_is_shown_with_its_words_at_half_its_pixels_and_closed(ax, shown):
    show(ax.figure, alt="A line that falls.")
    ((data, metadata),) = shown
    chunks = chunks_of(base64.b64decode(data["image/png"]))
    width = struct.unpack(">I", chunks[b"IHDR"][:4])[0]
    assert 1200 < width < 1500  # 7.5 inches of 200 pixels, less the margins
    assert data["text/plain"] == "A line that falls." and metadata == {"image/png": {"alt": "A line that falls.", "width": width // 2}}
    assert b"tEXt" not in chunks  # a version or a date would change with the machine
    assert not plt.fignum_exists(ax.figure.number)


@pytest.mark.parametrize("alt", ["", " \n"])
def test_a_figure_without_words_is_refused(ax, shown, alt):
    with pytest.raises(ValueError, match="alt is empty; say in a sentence what the figure shows"):
        show(ax.figure, alt=alt)
    assert not shown


def test_every_function_that_draws_is_tried():
    drawing = {name for name, one in vars(plots).items() if inspect.isfunction(one) and {"ax", "axes"} & set(inspect.signature(one).parameters)}
    assert drawing - {"head_maps", "law_plane"} == set(KINDS) and len(set(KINDS)) == len(KINDS)  # these two have tests of their own


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_drawn_again_has_the_same_bytes(shown, kind):
    for _ in range(2):
        with plots.style():
            fig, ax = plt.subplots(figsize=(4, 3))
            draw(ax, kind)
            show(fig, alt="Words.")
    assert shown[0] == shown[1]


def test_the_style_ends_with_its_block():
    before = plt.rcParams["axes.spines.top"], plt.rcParams["font.size"]
    with plots.style():
        assert (plt.rcParams["axes.spines.top"], plt.rcParams["font.size"]) == (False, 11)
    assert (plt.rcParams["axes.spines.top"], plt.rcParams["font.size"]) == before


def test_a_table_has_its_numbers_to_the_right(shown):
    rows = [{"model": "A", "loss": "1.25", "change": -0.5, "tokens": 12}, {"model": "3B", "loss": "–", "change": "+2 %", "tokens": ""}]
    show_table(rows)
    ((data, _),) = shown
    assert data["text/markdown"] == data["text/plain"]
    assert data["text/plain"].split("\n") == [
        "| model | loss | change | tokens |",
        "| :--- | ---: | ---: | ---: |",
        "| A | 1.25 | -0.5 | 12 |",
        "| 3B | – | +2 % |  |",
    ]


@pytest.mark.parametrize("rows", [[], [{"a": 1}, {"b": 2}], [{"a": 1, "b": 2}, {"a": 1}], [{"a": 1, "b": 2}, {"b": 2, "a": 1}]])
def test_a_table_with_holes_is_refused(shown, rows):
    with pytest.raises(ValueError, match="at least one row, and the same keys in every row"):
        show_table(rows)
    assert not shown


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "0"), (0.25, "0.25"), (999, "999"), (999.4, "999"), (999.5, "1K"), (1000, "1K"), (12_345, "12.3K"), (999_499, "999K"), (999_500, "1M"),
     (1.005e9, "1B"), (1.4e12, "1.4T"), (1.5e14, "150T")],
)  # fmt: skip
def test_large_numbers_as_people_say_them(number, written):
    assert short(number) == written


@given(st.floats(1, 9.9e14))
def test_short_numbers_are_three_digits_and_nearly_right(number):
    digits, unit = short(number).rstrip("KMBT"), short(number)[-1]
    assert len(digits.replace(".", "")) <= 3 and "e" not in digits
    assert float(digits) * {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}.get(unit, 1) == pytest.approx(number, rel=0.0051)


def test_models_stand_where_their_numbers_say(ax):
    assert giants_and_dwarfs(ax, MODELS, ratios=(20,)) is ax
    groups = {line.get_label(): line for line in ax.lines if not line.get_label().startswith("_")}
    assert {name: sorted(zip(*line.get_data())) for name, line in groups.items()} == {
        "giants": [(1e9, 3e11), (5e11, 2e11)],
        "balanced": [(7e10, 1.4e12)],
        "ours": [(1e6, 4e8)],
    }
    assert len({line.get_marker() for line in groups.values()}) == len({line.get_color() for line in groups.values()}) == 3
    assert {text.get_text(): text.xy for text in ax.texts[:4]} == {m["name"]: (m["n_params"], m["n_tokens"]) for m in MODELS}
    assert [text.get_ha() for text in ax.texts[:4]] == ["right", "left", "center", "center"]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert all(ax.get_xlim()[0] < m["n_params"] < ax.get_xlim()[1] and ax.get_ylim()[0] < m["n_tokens"] < ax.get_ylim()[1] for m in MODELS)


def test_a_line_of_equal_ratio_goes_through_equal_ratios_and_its_name_along_it(ax):
    giants_and_dwarfs(ax, MODELS, ratios=(20, 200))
    lines = [line for line in ax.lines if line.get_color() == GREY]
    for line, ratio in zip(lines, (20, 200), strict=True):
        (x, y), (x2, y2) = line.get_xy1(), line.get_xy2()
        assert y / x == pytest.approx(ratio) and y2 / x2 == pytest.approx(ratio) and x2 > 10 * x
    ax.figure.canvas.draw()
    name = next(text for text in ax.texts if text.get_text() == "20 tokens per parameter")
    place, further = ax.transData.transform([(name.xy[0], name.xy[1]), (10 * name.xy[0], 10 * name.xy[1])])
    assert name.xy[1] / name.xy[0] == pytest.approx(20)
    assert name.get_rotation() == pytest.approx(np.degrees(np.arctan2(*(further - place)[::-1])), abs=0.5)


def test_the_best_score_stands_on_top(ax):
    scores = {"A": 25.9, "B": 67.6, "C": 43.9}
    assert exam_scores(ax, scores, {"guessing": 25, "experts": 89.8}, marked=["C"]) is ax
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["A", "C", "B"] and [bar.get_width() for bar in ax.patches] == [25.9, 43.9, 67.6]
    assert [to_hex(bar.get_facecolor()).upper() == VERMILION for bar in ax.patches] == [False, True, False]
    assert [bool(bar.get_hatch()) for bar in ax.patches] == [False, True, False]
    assert texts(ax) == ["25.9", "43.9", "67.6", "guessing, 25 %", "experts, 89.8 %"]
    assert [line.get_xdata()[0] for line in ax.lines] == [25, 89.8] and ax.get_xlim() == (0, 100)


def test_grades_stand_in_the_rows_of_their_story_tellers(ax):
    grades = {"small": {"grammar": 5.0, "plot": 3.0}, "large": {"grammar": 9.0, "plot": 7.5}}
    assert story_grades(ax, grades) is ax
    rows = {tick.get_text(): place for tick, place in zip(ax.get_yticklabels(), ax.get_yticks())}
    assert rows["small"] > rows["large"]  # the first given on top
    for line in ax.lines:
        assert dict(zip(line.get_ydata(), line.get_xdata())) == {name: grade[line.get_label()] for name, grade in grades.items()}
    assert [line.get_label() for line in ax.lines] == ["grammar", "plot"]
    assert len({line.get_marker() for line in ax.lines}) == 2
    (bars,) = ax.collections
    assert sorted(tuple(segment[:, 0]) for segment in bars.get_segments()) == [(3.0, 5.0), (7.5, 9.0)]


def test_a_short_curve_shows_every_point_that_was_logged(ax):
    log = [{"step": 1, "loss": 5.0}, {"step": 2, "valid_bits_per_byte": 2.0}, {"step": 3, "loss": 4.0}]
    assert loss_curve(ax, log, x="step") is ax
    (line,) = ax.lines
    assert line.get_xydata().tolist() == [[1, 5], [3, 4]] and line.get_marker() == "o"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("optimizer steps", "training loss, nats per token")
    assert ax.get_legend() is None


def test_a_long_curve_gets_its_running_mean(ax):
    loss_curve(ax, LOG, label="ours")
    thin, mean = ax.lines
    assert thin.get_xydata().tolist() == [[line["tokens"], line["loss"]] for line in LOG] and thin.get_alpha() == 0.3
    by_hand = [[sum(line[key] for line in LOG[i : i + 5]) / 5 for key in ("tokens", "loss")] for i in range(196)]
    np.testing.assert_allclose(mean.get_xydata(), by_hand)
    assert mean.get_color() == thin.get_color()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["ours"]


def test_a_log_without_the_numbers_is_refused(ax):
    with pytest.raises(ValueError, match="no line of the log has both 'tokens' and 'valid_bits_per_byte'"):
        loss_curve(ax, LOG, y="valid_bits_per_byte")


def linear(colour: str) -> np.ndarray:
    """sRGB to linear light, as IEC 61966-2-1 says."""
    c = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """Linear light to CIE L*a*b* under D65, where a distance of about 2 can just be seen."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    t = to_xyz @ np.clip(rgb, 0, 1) / to_xyz.sum(axis=1)
    x, y, z = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# Machado, Oliveira and Fernandes 2009, table 1, severity 1.0: what linear light becomes for eyes that lack one kind of cone.
EYES = {
    "normal": np.eye(3),
    "no long cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no middle cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "no short cones": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def nearest(colours, eye) -> float:
    return min(np.linalg.norm(lab(EYES[eye] @ linear(a)) - lab(EYES[eye] @ linear(b))) for a, b in itertools.combinations(colours, 2))


@pytest.mark.parametrize("eye", EYES)
def test_colours_differ_for_every_kind_of_eye(eye):
    assert nearest(COLOURS, eye) > 10


def test_the_simulated_eyes_confuse_what_such_eyes_confuse():
    red_and_green = ["#D62728", "#2CA02C"]  # of many plots
    assert nearest(red_and_green, "no middle cones") < 10 < 100 < nearest(red_and_green, "normal")


@pytest.mark.parametrize("colour", [*COLOURS, GREY])
def test_colours_stand_out_from_white(colour):
    # The contrast of WCAG 2: 3 is what it asks of graphics, 4.5 of small letters.
    contrast = 1.05 / (linear(colour) @ [0.2126, 0.7152, 0.0722] + 0.05)
    assert contrast >= (4.5 if colour == GREY else 3)


def test_the_line_of_equal_compute_is_that_of_six_operations_a_parameter_and_token(ax):
    giants_and_dwarfs(ax, MODELS)
    frame = ax.get_xlim(), ax.get_ylim()
    line = plots.equal_compute(ax, 6e23)
    for flops in (6e23, 1e20):
        plots.set_equal_compute(line, flops)
        assert np.allclose(6 * line.get_xdata() * line.get_ydata(), flops) and list(line.get_xdata()) == list(frame[0])
    assert (ax.get_xlim(), ax.get_ylim()) == frame, "the line must not move the axes"


def test_tokens_are_as_wide_as_their_letters_and_keep_their_colour(ax):
    plots.token_boxes(ax, {"0": ["a", " ", "c", "a"], "1": ["a c", "a"]})
    boxes = [(box.get_x(), box.get_width(), box.get_y() + box.get_height() / 2) for box in ax.patches]
    assert [tuple(round(x, 6) for x in box) for box in boxes] == [(0, 1, 0), (1, 1, 0), (2, 1, 0), (3, 1, 0), (0, 3, -1), (3, 1, -1)]
    assert texts(ax) == ["a", "·", "c", "a", "a·c", "a"]
    colours = [to_hex(box.get_facecolor()) for box in ax.patches]
    assert colours[0] == colours[3] == colours[5] and len(set(colours)) > 1


def test_runs_are_marks_and_their_means_a_line(ax):
    plots.by_vocabulary(ax, RUNS, "bits", "bits per byte")
    line, marks = ax.lines[:2]
    assert line.get_xydata().tolist() == [[257, 1.1], [512, 0.9]] and sorted(marks.get_ydata()) == [0.9, 1.0, 1.2]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]


@pytest.mark.parametrize("d_model, n_layers, share", [(128, 4, 0.5714), (768, 12, 0.0690)])
def test_the_share_of_the_table_is_that_of_a_model(ax, d_model, n_layers, share):
    """For the default shape the rule of thumb for the body, 12 layers d_model squared, is within a hundredth of the model itself."""
    bars = plots.table_and_body(ax, [256, 8192], d_model=64, n_layers=1)
    shares = plots.set_table_and_body(bars, [256, 8192], d_model, n_layers)
    assert shares[1] == pytest.approx(share, abs=1e-3) and [bar.get_height() for bar in bars] == shares
    if d_model == 128:
        assert shares[1] == pytest.approx(8192 * 128 / (8192 * 128 + 787_584), abs=0.01)


def test_tokens_that_never_occur_stand_apart(ax):
    plots.rows_by_frequency(ax, [0, 7, 0, 300], [4.0, 2.0, 4.1, 1.0])
    occurs, never = ax.lines
    assert occurs.get_xydata().tolist() == [[7, 2.0], [300, 1.0]] and list(never.get_ydata()) == [4.0, 4.1] and max(never.get_xdata()) < 0.5
    assert occurs.get_color() != never.get_color() and occurs.get_marker() != never.get_marker()


def test_words_stand_by_rank_beside_the_first_frequency_over_the_rank(ax):
    plots.zipf(ax, {"a": [(1, 900), (2, 70), (9, 1)], "b": [(1, 800), (40, 0.5)]}, {2: "and"})
    line, words, others = ax.lines[:3]
    assert words.get_xydata().tolist() == [[1, 900], [2, 70], [9, 1]] and others.get_xydata().tolist() == [[1, 800], [40, 0.5]]
    assert line.get_xydata().tolist() == [[1, 900], [40, 22.5]]
    (name,) = ax.texts
    assert (name.get_text(), name.xy) == ("and", (2, 70)) and ax.get_xscale() == ax.get_yscale() == "log"


def test_shares_stand_in_their_rows_beside_their_levels(ax):
    shares = {"a": {"x": (0.5, 0.4, 0.75)}, "b": {"x": (0.25, 0.25, 0.25), "y": (0.9, 0.8, 1)}}
    plots.shares_in_rows(ax, shares, {"y": 0.3})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x", "y"] and list(ax.get_yticks()) == [0, -1]
    a, b = (next(line for line in ax.lines if line.get_label() == name) for name in "ab")
    assert list(a.get_xdata()) == [50] and list(b.get_xdata()) == [25, 90] and a.get_marker() != b.get_marker()
    assert a.get_ydata()[0] > b.get_ydata()[0] and np.abs(np.round([a.get_ydata()[0], *b.get_ydata()]) - [0, 0, -1]).max() == 0
    bars = [segment[:, 0].tolist() for bar in ax.collections for segment in bar.get_segments()]
    assert bars == [pytest.approx(pair) for pair in ([40, 75], [25, 25], [80, 100])]
    (level,) = (line for line in ax.lines if line.get_color() == GREY)
    assert list(level.get_xdata()) == pytest.approx([30, 30]) and np.mean(level.get_ydata()) == -1
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "guessing blindly"]


def test_more_items_bring_found_shares_nearer_to_the_true_one(ax):
    curves, drawn = plots.found_shares(ax, [0.8, 0.9], 50), np.random.default_rng(0)
    spreads = []
    for n_items in (50, 400):
        plots.set_found_shares(curves, [0.8, 0.9], n_items)
        for share, curve in zip((0.8, 0.9), curves):
            x, y = curve.get_data()
            assert sum(y) == pytest.approx(2 * n_items) and np.average(x, weights=y) == pytest.approx(100 * share)
            slow = np.bincount(drawn.binomial(n_items, share, 200_000), minlength=n_items + 1) / 2000
            assert np.abs(slow - y * 50 / n_items).max() < 0.3
        spreads.append(np.sqrt(np.average((x - 90) ** 2, weights=y)))
        assert ax.get_ylim()[1] > max(y)
    assert spreads[0] > 2 * spreads[1]


def test_a_line_is_named_at_its_end_and_marked(ax):
    plots.lines(ax, [1, 2, 4], {"a": [3, 2, 1], "": [9, 8, 7]}, "n", "bits")
    assert [line.get_xydata().tolist() for line in ax.lines] == [[[1, 3], [2, 2], [4, 1]], [[1, 9], [2, 8], [4, 7]]]
    assert [(text.get_text(), text.xy) for text in ax.texts] == [("a", (4, 1)), ("", (4, 7))]
    assert len({line.get_color() for line in ax.lines}) == len({line.get_marker() for line in ax.lines}) == 2
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_ylim()[0]) == ("n", "bits", 0)


def test_the_upright_line_of_growth_may_be_moved(ax):
    line = plots.growth(ax, {"a": [(10, 5), (20, 8)]}, 15)
    assert list(line.get_xdata()) == [15, 15] and ax.lines[0].get_xydata().tolist() == [[10, 5], [20, 8]]


def test_shares_are_bars_in_per_cent_the_first_measure_on_top(ax):
    plots.shares_beside(ax, {"a": {"x": 0.5, "y": 0.1}, "b": {"x": 0.25, "y": 0.4}})
    found = [(round(bar.get_width(), 6), bar.get_y() + bar.get_height() / 2) for bar in ax.patches]
    assert [width for width, _ in found] == [50, 10, 25, 40] and texts(ax) == ["50.0", "10.0", "25.0", "40.0"]
    heights = [height for _, height in found]
    assert heights[0] > heights[2] > heights[1] > heights[3]  # x of a, x of b, y of a, y of b
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x", "y"]


def test_each_story_is_a_mark_in_the_row_of_its_kind(ax):
    line = plots.shared_runs(ax, {"sound": [0, 0.1], "copy": [1]}, 0.5)
    rows = {round(y): sorted(x for x, _ in marks.get_xydata()) for marks in ax.lines[:2] for y in [np.mean(marks.get_ydata())]}
    assert rows == {0: [1], 1: [0, 0.1]} and [label.get_text() for label in ax.get_yticklabels()] == ["copy", "sound"]
    assert list(line.get_xdata()) == [0.5, 0.5]


def test_the_path_of_descent_lies_on_the_loss(ax):
    path = plots.descent(ax, np.square, np.array([-2, 1.0]), (-3, 3))
    assert path.get_xydata().tolist() == [[-2, 4], [1, 1]] and np.allclose(ax.lines[0].get_ydata(), ax.lines[0].get_xdata() ** 2)


def test_a_loss_comes_down_to_its_level_from_step_one(ax):
    plots.toward(ax, [6, 4, 3], 2.5, "counted")
    assert ax.lines[0].get_xydata().tolist() == [[1, 6], [2, 4], [3, 3]] and list(ax.lines[1].get_ydata()) == [2.5, 2.5]
    assert texts(ax) == ["counted, 2.50"]


def test_probability_and_gradient_stand_side_by_side_and_what_came_is_named(ax):
    plots.pulls(ax, [0.75, 0.25], [0.75, -0.75], 1)
    assert [bar.get_height() for bar in ax.patches] == [0.75, 0.25, 0.75, -0.75]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["id 0", "id 1\nwhat came"]


def test_rows_of_the_table_are_what_came_last(ax):
    plots.next_token_table(ax, np.array([[0.1, 0.9], [0, 1]]), [" a", "\n"])
    (image,) = ax.images
    assert image.get_array().tolist() == [[0.1, 0.9], [0, 1]] and (ax.get_xlabel(), ax.get_ylabel()) == ("next", "last")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["␣a", "¶"]


def test_the_first_rung_of_the_ladder_is_on_top(ax):
    plots.ladder(ax, {"uniform": 4.0, "bigram": 2.125})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["bigram", "uniform"]
    assert [bar.get_width() for bar in ax.patches] == [2.125, 4] and texts(ax) == ["2.12", "4.00"]


def test_who_looks_is_a_row_and_who_is_looked_at_a_column(ax):
    plots.weight_map(ax, [[1, 0], [0.25, 0.75]], [" a", "cat"])
    assert ax.images[0].get_array().tolist() == [[1, 0], [0.25, 0.75]] and ax.images[0].get_clim() == (0, 1)
    assert [label.get_text() for label in ax.get_yticklabels()] == [label.get_text() for label in ax.get_xticklabels()] == ["·a", "cat"]


def test_heads_are_columns_layers_are_rows_and_the_marked_ones_framed():
    fig, axes = plt.subplots(2, 3)
    maps = np.arange(6).reshape(2, 3, 1, 1) / 9
    plots.head_maps(axes, maps, marked=[(1, 2)])
    assert all(axes[layer, head].images[0].get_array().item() == pytest.approx(((3 * layer + head) / 9) ** 0.5) for layer in range(2) for head in range(3))
    thick = [(layer, head) for layer in range(2) for head in range(3) if axes[layer, head].spines["top"].get_linewidth() > 2]
    assert thick == [(1, 2)] and axes[0, 2].get_title() == "head 2" and axes[1, 0].get_ylabel() == "layer 1"
    plt.close(fig)


def test_clock_hands_point_where_their_numbers_do(ax):
    hands = plots.clock_hands(ax, [1, 1j], [1j, -1])
    plots.set_clock_hands(hands, [-1, 1], [1j, -1j])
    tips = [[line.get_xydata()[1].round(6).tolist() for line in lines] for lines in hands]
    assert tips == [[[-1, 0], [3.5, 0]], [[0, 1], [2.5, -1]]]  # the second clock stands 2.5 to the right
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["query", "key"]


def test_the_mark_of_a_distance_lies_on_the_curve(ax):
    curve, mark = plots.score_by_distance(ax, [4, 2, 3], 2)
    assert curve.get_xydata().tolist() == [[0, 4], [1, 2], [2, 3]] and mark.get_xydata().tolist() == [[2, 3]]


def test_boxes_are_darker_for_more_weight_and_the_last_token_looks(ax):
    for _ in range(2):  # drawn again, it starts from an empty page
        plots.looked_at(ax, [" Mia", " ran", " to"], [0.7, 0.2, 0.1], width=9)
    brightness = [sum(box.get_facecolor()[:3]) for box in ax.patches]
    assert len(brightness) == 3 and brightness == sorted(brightness) and texts(ax) == ["·Mia", "·ran", "·to"]
    assert [box.get_linewidth() > 2 for box in ax.patches] == [False, False, True]
    assert [round(box.get_y() + box.get_height() / 2) for box in ax.patches] == [0, 0, -1], "the third does not fit into the first line"


def test_harm_is_two_bars_for_each_part(ax):
    plots.knocked_out(ax, {"0": (1, 0.1), "1": (3, 0.2)}, ("names", "others"))
    assert [bar.get_height() for bar in ax.patches] == [1, 3, 0.1, 0.2]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["names", "others"]


@pytest.mark.parametrize("kind", sorted({*KINDS} - {"giants_and_dwarfs", "equal_compute"}))
def test_every_figure_can_be_read(ax, kind):
    """(With the models above, names lie on lines; the chapters' own figures are looked over in test_notebooks.)"""
    draw(ax, kind)
    assert problems(ax.figure) == []


def test_shares_of_parts_fill_the_bar_and_may_be_changed(ax):
    bars = plots.where_parameters_live(ax, {"a": (1, 1, 2, 0), "b": (3, 1, 4, 0)})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "a"]
    spans = [[(bar.get_x(), bar.get_width()) for bar in row] for row in zip(*bars)]  # from below: b, a
    assert spans == [[(0, 0.375), (0.375, 0.125), (0.5, 0.5), (1, 0)], [(0, 0.25), (0.25, 0.25), (0.5, 0.5), (1, 0)]]
    assert plots.set_where_parameters_live(bars, 0, (1, 0, 1, 2)) == [0.25, 0, 0.25, 0.5]
    assert [(part[0].get_x(), part[0].get_width()) for part in bars] == [(0, 0.25), (0.25, 0), (0.25, 0.25), (0.5, 0.5)]
    assert bars[0][1].get_width() == 0.25, "the other row stays"


def test_the_lens_frames_what_came_true_and_is_darker_where_it_is_surer(ax):
    plots.lens(ax, [" a", " cat"], [[" a", " the"], [" cat", " sat"]], [[0.9, 0.2], [0.5, 0.7]], [" cat", ""])
    right = [box.get_edgecolor() == plt.matplotlib.colors.to_rgba(VERMILION) for box in ax.patches]
    assert right == [False, False, True, False] and texts(ax) == ["·a", "·the", "·cat", "·sat"]
    brightness = [sum(box.get_facecolor()[:3]) for box in ax.patches]
    assert brightness[0] < brightness[3] < brightness[2] < brightness[1]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["embedding", "1 block"]


def test_a_difference_whose_interval_holds_zero_is_hollow(ax):
    plots.differences(ax, {"better": (-0.015, 0.01), "unclear": (0.01, 0.02), "worse": (0.09, 0.01), "one seed": (0.05, math.inf)}, "bits")
    assert len(ax.texts) == 4 and all(np.isfinite(text.xy).all() for text in ax.texts), "a number that stands nowhere"
    marks = {round(line.get_ydata()[0]): line for line in ax.lines if line.get_marker() == "o"}
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one seed", "worse", "unclear", "better"]
    assert [marks[y].get_xdata()[0] for y in range(4)] == [0.05, 0.09, 0.01, -0.015]
    assert [marks[y].get_markerfacecolor() == "white" for y in range(4)] == [True, False, True, False]
    assert marks[1].get_color() == VERMILION and marks[3].get_color() not in (VERMILION, GREY)


def test_what_cannot_be_drawn_has_a_grey_name(ax):
    bars = plots.next_token_bars(ax, ["cat", "dog"], [0.75, 0.25], [1, 0])
    assert [[bar.get_width() for bar in group] for group in bars] == [[0.75, 0.25], [1, 0]]
    plots.set_next_token_bars(bars, ["hen", "dog"], [0.5, 0.5], [0.25, 0.75])
    assert [[bar.get_width() for bar in group] for group in bars] == [[0.5, 0.5], [0.25, 0.75]]
    assert [label.get_color() for label in ax.get_yticklabels()] == ["black", "black"] and ax.get_yticklabels()[0].get_text() == "hen"
    plots.set_next_token_bars(bars, ["hen", "dog"], [0.5, 0.5], [1, 0])
    assert [label.get_color() == "black" for label in ax.get_yticklabels()] == [True, False]


def test_a_valley_is_as_steep_as_said_and_each_way_is_drawn(ax):
    plots.paths_in_valley(ax, {"down": [(-8, 1), (-6, -0.5)]}, 100)
    assert ax.lines[0].get_xydata().tolist() == [[-8, 1], [-6, -0.5]]
    (contours,) = ax.collections
    path = next(path for path in contours.get_paths() if len(path.vertices) > 50)
    a, b = path.vertices[path.vertices[:, 0] < 1e9].T
    heights = (a**2 + 100 * b**2) / 2
    assert heights.max() / heights.min() < 1.2


def test_broken_runs_stand_beside_their_healthy_twins(ax):
    plots.gallery([ax], {"A": ([9, 5], [6, 4])}, 5.25)
    level, healthy, broken = ax.lines
    assert level.get_ydata()[0] == 5.25 and healthy.get_xydata().tolist() == [[1, 6], [2, 4]] and broken.get_xydata().tolist() == [[1, 9], [2, 5]]
    assert ax.get_title() == "A" and broken.get_color() == VERMILION


def test_measures_have_two_standard_errors_either_way(ax):
    plots.against_temperature(ax, [0, 1], {"a": [(0.9, 0.01), (0.5, 0.1)]}, {"real": 0.95})
    (segments,) = [collection.get_segments() for collection in ax.collections]
    assert np.allclose([segment[:, 1] for segment in segments], [[0.88, 0.92], [0.3, 0.7]])
    assert ax.lines[-1].get_ydata()[0] == 0.95


def test_ranges_reach_from_low_to_high_and_points_go_from_small_to_large(ax):
    plots.with_ranges(ax, {"a": [(1e6, 0.5, 0.375, 0.75), (1e5, 1, 1, 1)], "b": [(1e5, 2, 1, 4)]}, "parameters", "bits")
    (_, _, (bars,)), *_ = ax.containers
    first, second = (line for line in ax.lines if line.get_label() in "ab")
    assert list(zip(*first.get_data())) == [(1e5, 1), (1e6, 0.5)] and ax.get_xscale() == "log"
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [[1, 1], [0.375, 0.75]]
    assert first.get_color() != second.get_color() and first.get_marker() != second.get_marker()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]


def test_two_of_a_pair_share_colour_and_mark_and_the_second_is_hollow(ax):
    points = {name: [(1e5, 2, 1, 4), (1e6, 1, 1, 1)] for name in "abcd"}
    plots.with_ranges(ax, points, "parameters", "bits", pairs=True)
    curves = [line for line in ax.lines if line.get_label() in "abcd"]
    plots.shares_in_rows(ax, {name: {"x": (0.5, 0.4, 0.7)} for name in "abcd"}, pairs=True)
    marks = [line for line in ax.lines if line.get_label() in "abcd"][4:]
    for a, b, c, d in (curves, marks):
        assert a.get_color() == b.get_color() != c.get_color() == d.get_color()
        assert a.get_marker() == b.get_marker() != c.get_marker() == d.get_marker()
        assert [line.get_markerfacecolor() == "white" for line in (a, b, c, d)] == [False, True, False, True]
    assert [line.get_linestyle() for line in curves] == ["-", "--"] * 2 and {line.get_linestyle() for line in marks} == {"None"}


def test_a_run_is_laid_over_the_band(ax):
    run = plots.expected_band(ax, [20, 40], [4, 3], [5, 3.5])
    corners = {tuple(point) for point in ax.collections[0].get_paths()[0].vertices}
    assert {(20, 4), (20, 5), (40, 3), (40, 3.5)} == corners and len(run.get_xdata()) == 0


def test_a_forecast_is_a_line_between_the_dashed_ends_of_its_range(ax):
    centre, low, high = plots.forecast_lines(ax, [1, 2], [3, 2], [2, 1], [4, 3.5])
    assert [line.get_ydata().tolist() for line in (centre, low, high)] == [[3, 2], [2, 1], [4, 3.5]]
    assert low.get_linestyle() == high.get_linestyle() == "--" != centre.get_linestyle()


def test_the_lowest_point_of_each_curve_has_a_star(ax):
    plots.with_lowest(ax, [1e9, 2e9, 4e9], {"a": [3, 1, 2], "b": [np.inf, 4, 3]}, "parameters", "operations")
    first, star, second, other = ax.lines
    assert [line.get_marker() for line in ax.lines] == ["None", "*", "None", "*"]
    assert star.get_xydata().tolist() == [[2e9, 1]] and other.get_xydata().tolist() == [[4e9, 3]]
    assert first.get_color() == star.get_color() != second.get_color() and np.isnan(second.get_ydata()[0])
    assert ax.get_xscale() == "log" and [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]


def test_a_valley_is_its_trainings_the_parabola_through_them_and_its_lowest_point(ax):
    sizes = np.array([1e5, 2e5, 4e5, 8e5])
    losses = 2 + np.log(sizes / 3e5) ** 2
    plots.valleys(ax, {1e12: (sizes, losses), 1e13: (2 * sizes, losses - 0.5)}, {1e12: (3e5, 2.0), 1e13: (6e5, 1.5)})
    curve, marks, star, *_, last = ax.lines
    assert np.allclose(curve.get_ydata(), 2 + np.log(curve.get_xdata() / 3e5) ** 2) and curve.get_xdata()[[0, -1]].tolist() == [1e5, 8e5]
    assert marks.get_xydata().tolist() == np.stack([sizes, losses], 1).tolist() and star.get_xydata().tolist() == [[3e5, 2]] and last.get_xydata().tolist() == [[6e5, 1.5]]
    assert len({tuple(line.get_color()) for line in ax.lines if line.get_marker() not in ("*", "None")}) == 2 and len({line.get_marker() for line in ax.lines}) == 4


LAW = Law(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)
RANGES = {"n_params": (1e6, 1e13), "n_tokens": (1e7, 1e14)}


def test_the_plane_of_a_law_has_its_optima_its_levels_and_the_point(ax):
    crowd = {f"model {i}": {"n_params": 1e11 * 1.1**i, "n_tokens": 3e11} for i in range(30)} | {"far away": {"n_params": 1e3, "n_tokens": 1e9}}
    plots.law_plane(ax, LAW, RANGES, (1.75e11, 3e11), crowd, cheapest=(2.9e10, 1.1e12))
    optima, budget, point, best, served = ax.lines[:5]
    assert np.allclose(LAW.alpha * LAW.A * optima.get_xdata() ** -LAW.alpha, LAW.beta * LAW.B * optima.get_ydata() ** -LAW.beta), "where both slopes are the same"
    assert np.allclose(budget.get_xdata() * budget.get_ydata(), 1.75e11 * 3e11) and point.get_xydata().tolist() == [[1.75e11, 3e11]]
    assert np.isclose(best.get_xdata()[0] * best.get_ydata()[0], 1.75e11 * 3e11) and served.get_xydata().tolist() == [[2.9e10, 1.1e12]]
    for text in [text for text in ax.texts if text.get_text()[0:1].isdigit()]:
        assert np.isclose(LAW.loss(*text.xy), float(text.get_text()), atol=0.01)
    names = [text.get_text() for text in ax.texts if text.get_text().startswith("model")]
    assert "model 0" in names and 5 < len(names) < 30 and problems(ax.figure) == []


def test_a_fifth_group_is_refused_and_not_left_out(ax):
    plots.lines(ax, [1, 2], {name: [1, 2] for name in "abcd"}, "", "")
    assert len({(line.get_color(), line.get_marker()) for line in ax.lines}) == 4
    for draw_them in (lambda: plots.lines(ax, [1, 2], {name: [1, 2] for name in "abcde"}, "", ""), lambda: plots.found_shares(ax, [0.1] * 5, 10)):
        with pytest.raises(ValueError, match="5 groups in one figure; colours and marks tell 4 apart"):
            draw_them()


def test_levels_are_round_and_keep_a_distance():
    flops = np.linspace(14, 28, 400)
    found = plots.round_levels(flops, LAW.loss(*LAW.optimum(10**flops)), 1.83, 7.5)
    assert {2, 3, 4, 5, 7} <= set(found) and 1.83 < found[0] < 1.87 and found == sorted(found) and 8 <= len(found) <= 20
    assert all(step * 7 >= level - 1.83 for level in found for step in [next(s for s in (1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01) if abs(level / s - round(level / s)) < 1e-6)])


def test_an_arc_of_the_map_leads_from_the_one_that_gives_to_the_one_that_takes(ax):
    draw(ax, "chapter_map")
    arcs = [line for line in ax.lines if len(line.get_xdata()) > 2]
    dashed, solid = sorted(arcs, key=lambda line: line.get_linestyle() == "-")
    assert (dashed.get_linestyle(), dashed.get_color()) == ("--", GREY) and (solid.get_linestyle(), solid.get_color()) == ("-", plots.BLUE)
    assert [(round(line.get_ydata()[0]), round(line.get_ydata()[-1])) for line in (dashed, solid)] == [(0, -1), (0, -2)]
    heads = [(line.get_ydata()[0], line.get_color()) for line in ax.lines if line.get_marker() == ">"]
    assert sorted(heads) == sorted((line.get_ydata()[-1], line.get_color()) for line in arcs)
    assert {"takes bytes (00)", "takes a model (00)", "third"} <= set(texts(ax))
