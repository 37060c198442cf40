"""`testbed explain-rule`: the page of a rule of `testbed check`."""

from __future__ import annotations

import click

from testbed.printing import echo_styled


@click.command()
@click.argument("rule_id", metavar="[RULE-ID]", required=False)
def explain_rule(rule_id: str | None) -> int:
    """Print what a finding of `check` means, an example, what to do, and the source.

    Without RULE-ID it lists the rules: errors, warnings, notes.
    """
    from testbed.check import rule_page_text
    from testbed.check.rule_registry import all_rules, known
    from testbed.errors import ExitCode

    if rule_id is None:
        echo_styled(rule_page_text.listed(all_rules()))
    else:
        echo_styled(rule_page_text.lines(known(rule_id)))
    return ExitCode.PASS
