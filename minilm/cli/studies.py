"""Commands of many trainings, and of the laws behind them: `experiment | ladder | sweep | fit-scaling | reproduce`."""

import dataclasses
import json
import math
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional, arg

from minilm.cli.common import SETTINGS, TrainingBar, as_typed, check_folder, check_new, encode_corpus, progress_bar
from minilm.config import CACHE, profile


def ablations(
    flops: float = 2e12,
    seeds: int = 5,
    variants: tuple[str, ...] = (),
    processes: int = 1,
    out: Path = Path("runs/ablations"),
    keep: bool = False,
) -> None:
    """Train the transformer with one choice of its design undone at a time, each for the same computation, and compare.

    Finished trainings are not repeated, so an experiment that was stopped goes on. With the defaults it takes about 80 minutes of one core; with
    `--flops 1e11 --seeds 2` about eight.

    Args:
        flops: Floating-point operations of each training.
        seeds: Trainings of each variant that count; others with another seed choose its learning rate.
        variants: Which of minilm.variants; without any, all of them.
        processes: Trainings side by side, one thread each.
        out: Folder for the runs and their table, runs.csv.
        keep: Keep the table as data/runs/ablations/runs.csv too, as the course's own.
    """
    from minilm.config import DATA
    from minilm.experiments import Ablation, ablate, differences, keep_ablation, write_table
    from minilm.variants import VARIANTS

    check_new(out)
    command = as_typed(out)
    plan = Ablation(flops=flops, seeds=seeds, variants=variants or VARIANTS, processes=processes, out=out, command=command)
    for row in ablate(plan):
        bits = row["valid_bits_per_byte"] or row["held_back_bits_per_byte"]
        print(f"{row['run']:52} {f'{bits:.4f} bits per byte' if bits else 'diverged':22} {row['cpu_seconds']:5.0f} s of a core", flush=True)
    rows = write_table(plan, out / "runs.csv")
    if keep:
        print(f"kept in {keep_ablation(plan, DATA / 'runs' / 'ablations')}")
    print(f"\n{'variant':18} {'bits/byte':>9} {'more than baseline':>20}")
    for name, found in differences(rows).items():
        print(f"{name:18} {found['bits_per_byte']:9.4f} {found['difference']:+11.4f} ± {found['half_width']:.4f}")


def ladder(
    corpus: str,
    sizes: tuple[str, ...] = (),
    profile_: Annotated[Literal["ci", "laptop", "gpu"] | None, arg(name="profile")] = None,
    seeds: int = 2,
    epochs: tuple[float, ...] = (1.0,),
    repeats: tuple[float, ...] = (),
    share: float = 0.25,
    out: Path = Path("runs/ladder"),
    keep: bool = False,
    cache: Path = CACHE,
) -> None:
    """Train models of several sizes on the same text, let those of seed 0 tell stories, and compare. A ladder that was stopped goes on where it was.

    Args:
        corpus: A corpus, folder or file, as for `minilm corpus`.
        sizes: Names of minilm.ladder.SIZES; without any, those of the profile (laptop: d64-L8 d128-L8 d256-L8).
        profile_: Hardware; by default what MINILM_PROFILE says.
        seeds: Trainings of each.
        epochs: Readings of the whole text, by each size: such as `0.25 0.5 1`.
        repeats: Readings of a share of the text, by the smallest size: such as `2 4 8 16`.
        share: What share that is.
        out: Folder for the runs.
        keep: Keep each finished run as a row of data/runs/ladder/runs.csv, and its stories in stories.csv beside it.
        cache: Folder for what is downloaded and encoded.
    """
    from minilm.corpora import load_corpus
    from minilm.ladder import BYTES_PER_TOKEN, SIZES, SIZES_OF_PROFILE, climb, cost, keep_stories, plan_ladder, stories_of
    from minilm.runs import record_run

    check_folder(out)
    plan = plan_ladder(sizes or SIZES_OF_PROFILE[profile_ or profile()], seeds, epochs, repeats, share)
    found = load_corpus(corpus, cache_dir=cache)
    command = as_typed(corpus, out, cache)
    n_tokens = found.n_bytes("train") / BYTES_PER_TOKEN
    costs = [cost(SIZES[rung.size], rung.share * rung.epochs * n_tokens) for rung in plan]
    print(f"{len(plan)} trainings, {sum(one['flops'] for one in costs):.1e} operations, on this machine very roughly "
          f"{sum(one['seconds'] for one in costs) / 60:,.0f} minutes. Ctrl-C stops; the same command goes on.")  # fmt: skip
    print(f"{'rung':40} {'parameters':>11} {'tokens':>11} {'minutes':>7}  bits per byte")
    for rung in plan:
        with TrainingBar() as bar:
            record = climb(rung, found, out, cache, command=command, callbacks=[bar])
        folder = out / rung.folder(found)
        if keep:
            record_run(folder, "ladder")
        if rung.seed == 0:  # one model of each kind tells stories
            stories = stories_of(folder, watch=lambda telling: progress_bar(telling, desc="telling", unit=" stories"))
            if keep:
                keep_stories(stories)
        result = record["result"]
        print(f"{folder.name:40} {record['n_params']:11,} {result['n_tokens']:11,} {result['seconds'] / 60:7.1f}  "
              f"{result['valid_bits_per_byte']:.4f}", flush=True)  # fmt: skip


def sweep(
    corpus: str,
    budgets: tuple[float, ...] = (),
    seeds: int = 2,
    processes: int = 1,
    forecast: float | None = None,
    growth: bool = False,
    out: Path = Path("runs/sweep"),
    keep: bool = False,
    cache: Path = CACHE,
) -> None:
    """Train small models of several sizes for each of several budgets, to see how the best size grows. A sweep that was stopped goes on where it was.

    Args:
        corpus: A corpus, folder or file, as for `minilm corpus`.
        budgets: Floating-point operations of a training; without any 1e12, 2.5e12, 6.3e12 and 1.6e13.
        seeds: Trainings of each size with budgets up to 6.3e12; with larger ones one.
        processes: Trainings side by side, one thread each.
        forecast: Train nothing; say what the budgets so far let expect of this larger one, and write it beside the table.
        growth: Train nothing; say how the best size grows with the budget, and which law fits, and write it beside the table.
        out: Folder for the runs and, without --keep, their tables.
        keep: Keep each finished run as a row of data/runs/sweep/runs.csv (of sweep_rates, if it helped to choose the learning rates).
        cache: Folder for what is downloaded and encoded.
    """
    from minilm.config import DATA
    from minilm.corpora import load_corpus
    from minilm.sweep import BUDGETS, TABLES, bits_of, plan_rates, plan_sweep, prepare, read_points, trials, write_forecast, write_growth
    from minilm.trials import read_table

    if bad := [one for one in (*budgets, seeds, processes, 1 if forecast is None else forecast) if not one > 0]:
        raise ValueError(f"budgets, seeds and processes must be more than 0, and one is {bad[0]:g}")
    check_folder(out)
    found, records = load_corpus(corpus, cache_dir=cache), DATA / "runs" if keep else out
    if forecast is not None or growth:
        read_points(read_table(TABLES["judge"], records), found.name)  # whether there is a sweep, before anything is made
    text = prepare(found, out)
    if forecast is not None:
        said, path = write_forecast(found.name, forecast, text.train_tokens(cache), records, command=as_typed(corpus, out, cache))
        _print_ranges(said["says"], path)
        return
    if growth:
        said, path = write_growth(found.name, records, command=as_typed(corpus, out, cache))
        _print_ranges({f"{name}, {what}": triple for name, triples in said["countings"].items() for what, triple in triples.items()}, path)
        return
    command = as_typed(corpus, out, cache)
    for make_plan in (plan_rates, lambda: plan_sweep(budgets or BUDGETS, seeds, text.train_tokens(cache), bits_of(plan_rates(), found.name, records))):
        _carry_out(trials(make_plan(), text), out, cache, processes=processes, command=command, records=records)


def _carry_out(trials: list, out: Path, cache: Path, *, processes: int, command: str, records: Path) -> None:
    """Say what trials are to come, carry them out, and print a line for each."""
    from minilm.trials import carry_out, flops_of, seconds_of, still_to_do

    waiting = still_to_do(trials, records)
    flops = sum(map(flops_of, waiting))
    print(f"{len(trials)} trainings, of which {len(waiting)} are to do: {flops:.1e} operations, on this machine very roughly "
          f"{seconds_of(waiting, processes) / 60:,.0f} minutes. Ctrl-C stops; the same command goes on.")  # fmt: skip
    for row in carry_out(trials, out, cache, processes=processes, command=command, records=records):
        print(f"{row['run']:44} {int(row['n_params']):9,} parameters {int(row['n_tokens']):11,} tokens {float(row['seconds']):6.0f} s  "
              f"{float(row['valid_bits_per_byte']):.4f} bits per byte", flush=True)  # fmt: skip


def _print_ranges(says: dict[str, tuple[float, float, float]], path: Path) -> None:
    for name, (best, low, high) in says.items():
        print(f"{name:50} {best:12,.4g}   {low:,.4g} to {high:,.4g}")
    print(path)


def fit_scaling(
    file: Positional[Path],
    where: dict[str, str] | None = None,
    drop_highest: int = 0,
    samples: int = 1000,
    seed: int = 0,
    json_: Annotated[bool, arg(name="json")] = False,
) -> None:
    """Find the law L = E + A / N^alpha + B / D^beta in a table of trainings, and say how sure it is and what it advises.

    Args:
        file: A table (CSV), one row a training, with columns of parameters, of tokens or operations, and of losses in nats per token;
            data/published/chinchilla_points.csv is one.
        where: Only the rows with these values in these columns, such as `--where corpus tinystories`.
        drop_highest: Leave out so many trainings, those with the highest loss. Besiroglu et al. leave out 5 of Chinchilla's.
        samples: Samples of the bootstrap, which gives the standard errors.
        seed: Other seed, other samples.
        json_: End with a line of JSON.
    """
    import numpy as np

    from minilm.scaling import bootstrap_law, fit_law, read_points

    if samples < 1 or seed < 0:
        raise ValueError(f"samples is {samples} and seed {seed}; draw at least one sample, with a seed of 0 or more")
    points = read_points(file, where or {}, drop_highest)
    fit = fit_law(*points)
    law, found = fit.law, bootstrap_law(*points, fit.law, samples, seed)
    print(f"{len(points[0])} trainings of {points[0].min():.3g} to {points[0].max():.3g} parameters on {points[1].min():.3g} to {points[1].max():.3g} tokens")
    print(f"\n{'':6} {'best':>10} {'standard error':>15}   95 % interval")
    for name, values in found.items():
        low, high = np.percentile(values, [2.5, 97.5])
        print(f"{name:6} {getattr(law, name):10.5g} {values.std(ddof=1):15.3g}   {low:.4g} to {high:.4g}")
    print(f"\nThe best size grows as the budget to the power of {law.exponent:.3f}. By budget:")
    low, high = (math.floor(math.log10(limit)) for limit in ((6 * points[0] * points[1]).min(), (6 * points[0] * points[1]).max()))
    for flops in (10.0**power for power in range(low, high + 3)):
        n, d = law.optimum(flops)
        print(f"{flops:8.0e} operations: {n:9.3g} parameters, {d:9.3g} tokens, {d / n:6.1f} for each, loss {law.loss(n, d):.3f}")
    if json_:
        errors = {f"{name}_standard_error": values.std(ddof=1) for name, values in found.items()}
        print(json.dumps(dataclasses.asdict(law) | errors | {"exponent": law.exponent, "objective": fit.objective, "n_points": len(points[0])}))


def reproduce(
    name: Positional[str],
    corpus: str = "tinystories",
    out: Path = Path("runs/reproduce"),
    yes: bool = False,
    cache: Path = CACHE,
) -> None:
    """Train what others have published, on the same text, and lay the result beside theirs: `cs336`, `cs336-low`, `stories260K`, `stories15M`.

    Says first what it takes, and begins only with --yes. One that was stopped goes on.

    Args:
        name: One of minilm.reproductions.REPRODUCTIONS.
        corpus: The whole of TinyStories; another corpus is for trying the command out.
        out: Folder for the runs.
        yes: Begin.
        cache: Folder for what is downloaded and encoded.
    """
    from minilm.ladder import cost, tokenizer_for
    from minilm.reproductions import REPRODUCTIONS

    if name not in REPRODUCTIONS:
        raise ValueError(f"there is no {name!r} to reproduce; there are {', '.join(REPRODUCTIONS)}")
    check_folder(out)
    plan = REPRODUCTIONS[name]
    theirs, needs = plan.published(), cost(plan.model, plan.training.max_tokens)
    bits = theirs.get("bits_per_byte") or theirs.get("approx_bits_per_byte_third_party") or "not known"
    print(f"{name}: {needs['n_params']:,} parameters read {plan.training.max_tokens:,} tokens: {needs['flops']:.1e} operations, on this machine "
          f"very roughly {needs['seconds'] / 3600:,.1f} hours (too low a guess for a large GPU, which so small a model keeps waiting).\n"
          "TinyStories is a download of 2.2 GB; its tokens take as much again or less.\n"
          f"Theirs: {theirs['val_loss_nats_per_token']} nats per token, {bits} bits per byte ({theirs['source']}; {theirs['hardware']}).")  # fmt: skip
    if not yes:
        print(f"Nothing has been done. Begin by: minilm reproduce {name} --yes")
        return
    from minilm.corpora import load_corpus
    from minilm.runs import resume_run, start_run

    found = load_corpus(corpus, cache_dir=cache)
    tokens = tokenizer_for(found, plan.model.vocab_size, out)
    encode_corpus(found, tokens, cache)
    run = out / name
    with TrainingBar() as bar:
        if (run / "run.json").exists():
            record = resume_run(run, cache_dir=cache, callbacks=[bar])
        else:
            command = as_typed(corpus, out, cache)
            record = start_run(run, found, tokens, plan.model, plan.training, command=command, cache_dir=cache, callbacks=[bar])
    result = record["result"]
    print(f"Ours: {result['valid_nats_per_token']:.4f} nats per token, {result['valid_bits_per_byte']:.3f} bits per byte, "
          f"in {result['seconds'] / 3600:.1f} hours.\nNow try: minilm generate {run}")  # fmt: skip


def good_data(
    parts: tuple[Literal["corners", "kinds", "domains"], ...] = ("corners", "kinds"),
    seeds: int = 3,
    processes: int = 1,
    stories: str | None = None,
    web: str | None = None,
    others: tuple[Path, ...] = (),
    out: Path = Path("runs/good_data"),
    keep: bool = False,
    cache: Path = CACHE,
) -> None:
    """Train small and large models on good and on poor text, and judge them alike. What was stopped goes on where it was.

    Args:
        parts: `corners`: small and ten times larger, on good and poor text, with three budgets; `kinds`: the small one on seven kinds of fault in two
            doses; `domains`: both on stories, on pages of the web, and on half of each.
        seeds: Trainings of each kind.
        processes: Trainings side by side, one thread each.
        stories: For domains, a corpus, folder or file, as for `minilm corpus`.
        web: For domains, likewise.
        others: For domains, files of text that none of the models reads, to judge them by.
        out: Folder for texts and runs and, without --keep, their tables.
        keep: Keep each finished run as a row of data/runs/good_data/runs.csv (of domains, for that part).
        cache: Folder for what is downloaded and encoded.
    """
    from minilm.config import DATA
    from minilm.corpora import load_corpus
    from minilm.good_data import PLANS, TABLES, domain_trials, keep_stories, left_of, trials
    from minilm.trials import read_table

    if seeds < 1 or processes < 1:
        raise ValueError(f"{seeds} seeds and {processes} processes; give at least one of each")
    if "domains" in parts and not (stories and web):
        raise ValueError("the part domains needs two texts; give them as --stories and --web")
    records, command = DATA / "runs" if keep else out, as_typed(*filter(None, (stories, web)), *others, out, cache)
    check_folder(out)
    out.mkdir(parents=True, exist_ok=True)
    for part in parts:
        left = left_of(PLANS[part](seeds), TABLES[part], records)
        if part == "domains":
            ready = domain_trials(left, load_corpus(stories, cache_dir=cache), load_corpus(web, cache_dir=cache), others, out, cache)
        else:
            ready = trials(left, out, cache)
        _carry_out(ready, out, cache, processes=processes, command=command, records=records)
        if part == "corners" and left:
            print(keep_stories(read_table(TABLES[part], records), out, records))


EXPERIMENTS = {f.__name__.replace("_", "-"): f for f in (ablations, good_data)}


def experiment(words: list[str]) -> None:
    """Carry out an experiment of the course, many trainings after one plan: `ablations`, `good-data`."""
    tyro.extras.subcommand_cli_from_dict(EXPERIMENTS, prog="minilm experiment", args=words, config=SETTINGS)
