"""`testbed clients`: what each client library and proxy does when an alias moves."""

from __future__ import annotations

import click

from testbed.printing import echo, echo_json


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--output",
    "-o",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="Format.",
)
def clients(names: tuple[str, ...], output: str) -> int:
    """Print the client models: when each library looks up, and what moves it to a new address.

    With names, all that is known of these models.

    Each figure was measured on the library or program itself; what was not is marked as extrapolated. These
    are the names for `clients` of a scenario and of a population file.
    """
    import orjson

    from testbed.client_models import MODELS, model_named, words
    from testbed.errors import ExitCode

    models = [model_named(name) for name in dict.fromkeys(names)] or [*MODELS.values()]
    if output == "json":
        echo_json(orjson.dumps(words.as_json(models), option=orjson.OPT_INDENT_2))
    elif names and output == "text":
        echo("\n\n".join("\n".join(words.whole(model)) for model in models))
    else:
        echo("\n".join(words.text(models) if output == "text" else words.markdown(models)))
    return ExitCode.PASS
