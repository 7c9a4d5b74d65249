"""How is all this used from a terminal? `minilm quickstart`, for the course `start | progress`, and then `corpus | storyworld | grade | train | ...`.

Each command is a function; its parameters, docstring and dataclasses are the options and the help. Torch is imported only by
the commands that need it, so that `minilm --help` answers at once. A mistake of the user's is answered in one line, not by a traceback.
"""

import sys

import tyro

from minilm.cli.common import SETTINGS, process_group
from minilm.cli.course import explorer, guide, progress, results, start
from minilm.cli.judging import evaluate_items, items, judge
from minilm.cli.models import evaluate, export, generate, import_hf, quickstart, record, resume, ship, train
from minilm.cli.studies import EXPERIMENTS, experiment, fit_scaling, ladder, reproduce, sweep
from minilm.cli.texts import corpus, grade, storyworld, tokenizer

__all__ = ["COMMANDS", "EXPERIMENTS", "main"]

_ALL = (quickstart, start, progress, corpus, storyworld, grade, judge, tokenizer, train, resume, generate, evaluate, items, evaluate_items, experiment,
        ladder, sweep, fit_scaling, reproduce, record, results, guide, explorer, ship, export, import_hf)  # fmt: skip
COMMANDS = {f.__name__.replace("_", "-"): f for f in _ALL}
FAILURES = ("TrainingDiverged", "OutOfMemory", "ProcessLost", "JudgeFailed")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status: 0 done, 1 a run that went wrong, 2 a mistake in what was asked, 130 stopped by Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # stories hold letters that some terminals lack
    name, *words = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        with process_group(name):
            _run(name, words)
    except (ValueError, OSError) as error:
        print(f"minilm: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        if type(error).__name__ not in FAILURES:  # named, so that torch need not be loaded to compare
            raise
        print(f"minilm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nminilm: stopped; `minilm resume DIR` goes on with a training", file=sys.stderr)
        return 130
    return 0


def _run(name: str, words: list[str]) -> None:
    if name == "experiment":
        experiment(words)
    elif name in COMMANDS:
        tyro.cli(COMMANDS[name], prog=f"minilm {name}", args=words, config=SETTINGS)
    else:  # the overview, or an answer to a command that does not exist
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="minilm", description="Small models, good data.", args=[name])
