"""How do the numbers look? One function for each figure of the course: data in, Axes out.

`look` holds what all figures share; the others hold the figures of some chapters each. A figure
function draws on the Axes it is given and returns it; it reads no file and opens no window, and leaves the title to the
caller, who knows what the figure found. Groups differ in their marks as well as in colour, so that a figure survives a
grey printer and colour-blind eyes.

Used from chapter 00 on. Left out on purpose: themes; figures that move (they belong to `widgets`).
"""

from minilm.plots.look import (
    BLUE, COLOURS, DASHES, GREEN, GREY, HALO, MARKERS, POINTS, PURPLE, SIDES, STYLE, VERMILION, lines, short, show, show_table, style,
)
from minilm.plots.measuring import (
    chapter_map, differences, equal_compute, exam_scores, found_shares, giants_and_dwarfs, law_plane, round_levels, set_equal_compute,
    set_found_shares, shares_in_rows, story_grades, valleys, with_lowest, with_ranges,
)
from minilm.plots.model import (
    PARTS, WEIGHTS, against_temperature, block_diagram, clock_hands, drawn_shares, first_losses, head_maps, intensity, knocked_out, lens, looked_at,
    next_token_bars, next_token_table, score_by_distance, set_clock_hands, set_next_token_bars, set_where_parameters_live, weight_map,
    where_parameters_live,
)
from minilm.plots.text import (
    TINTS, by_vocabulary, growth, rows_by_frequency, set_table_and_body, shared_runs, shares_beside, shown, table_and_body, tint, token_boxes,
    token_counts, work_per_merge, zipf,
)
from minilm.plots.training import (
    AXES, apart, descent, expected_band, forecast_lines, gallery, ladder, loss_curve, paths_in_valley, pulls, rate_sweep, schedule, toward,
)
