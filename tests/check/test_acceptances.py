"""A finding is accepted by a comment at its line or by a file, never without a reason."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from testbed.check import acceptances, rule_registry
from testbed.check.acceptances import UNUSED, applied, comments, load
from testbed.check.findings import Acceptance, Finding, Severity
from testbed.errors import BadInput, Location
from testbed.kubernetes.manifests import Source
from tests.check.traps import rules_of

WEB = Path("k8s/web.yaml")
RULE = "idle-streams-are-cut"


def said(text: str) -> list[Acceptance]:
    return comments([Source(WEB, text)])


def finding(line: int | None, rule: str = RULE, path: Path = WEB) -> Finding:
    return Finding(rule, Severity.WARNING, Location(path, line), "what", "do")


def test_the_module_has_one_rule_that_looks_at_nothing_itself() -> None:
    assert rules_of(acceptances) == {UNUSED}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"a: 1 # testbed: accept {RULE} we ping\nb: 2\n", 1),
        (f"# testbed: accept {RULE} we ping\na: 1\n", 2),
        (f"a: 1\n  # testbed: accept {RULE} we ping\n\n  # why not\nb: 2\n", 5),
        (f"a: |\n  text\n# testbed: accept {RULE} we ping\nb: 2\n", 4),
        (f"a: | # testbed: accept {RULE} we ping\n  text\n", 1),
        (f"a: 'x # y' # testbed:accept: {RULE} we ping\n", 1),
        (f"\u00e9: \U0001f600 # testbed: accept {RULE} we ping\n", 1),
        (f"a: 1\n# testbed: accept {RULE} we ping", 3),
    ],
)
def test_a_comment_is_about_its_line_or_the_next_one_that_says_something(text: str, line: int) -> None:
    [one] = said(text)
    assert (one.rule, one.reason, one.line, one.files) == (RULE, "we ping", line, "k8s/web.yaml")


@pytest.mark.parametrize(
    "text",
    [
        f"a: '# testbed: accept {RULE} we ping'\n",
        f"a: |\n  # testbed: accept {RULE} we ping\n",
        f'a: "b\n  # testbed: accept {RULE} we ping"\n',
        f"a: b#testbed: accept {RULE} we ping\n".replace("testbed: ", "testbed:"),
        "a: 1 # testbed: owned by team web\n",
        "a: 1 # testbed accepts this\n",
    ],
)
def test_a_text_that_looks_like_an_acceptance_is_none(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("", "names no rule"),
        (RULE, f"{RULE} is accepted without a reason"),
        (f"{RULE} --", "without a reason"),
        ("idle-stream-are-cut we ping", "did you mean idle-streams-are-cut"),
        ("zzzz we ping", "`testbed explain-rule` lists them"),
    ],
)
def test_an_acceptance_that_says_too_little_is_refused_with_its_line(comment: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        said(f"a: 1\n# testbed: accept {comment}\nb: 2\n")
    assert str(refused.value).startswith("k8s/web.yaml:2: ")


def test_an_accepted_finding_is_kept_with_its_acceptance() -> None:
    [one] = said(f"a: 1 # testbed: accept {RULE} we ping\n")
    other, accepted = applied([finding(1), finding(2)], [one])
    assert (accepted.accepted, other.accepted) == (one, None)


def test_an_acceptance_without_a_finding_is_a_finding_that_says_where_the_rule_is_found() -> None:
    [one] = said(f"a: 1 # testbed: accept {RULE} we ping\n")
    found = {each.rule: each for each in applied([finding(7)], [one])}
    assert found[RULE].accepted is None
    unused = found[UNUSED]
    assert (unused.severity, str(unused.where)) == (Severity.WARNING, "k8s/web.yaml:1")
    assert unused.what == f"there is no finding {RULE} at k8s/web.yaml:1 to accept (we ping)"
    assert "put it above the line that the finding names, k8s/web.yaml:7" in unused.do
    [gone] = applied([], [one])
    assert gone.do == "remove it"


def test_a_rule_that_had_nothing_to_look_at_needs_no_finding() -> None:
    [one] = said("a: 1 # testbed: accept one-name-two-balancers next week\n")
    assert applied([], [one], unseen=["one-name-two-balancers"]) == []
    assert [each.rule for each in applied([], [one])] == [UNUSED]


def entries(path: Path, text: str) -> list[Acceptance]:
    file = path / "accept.toml"
    file.write_text(text)
    return load([file])


def test_a_file_accepts_a_rule_in_some_files_or_in_all(tmp_path: Path) -> None:
    some, every = entries(
        tmp_path,
        f'[[accept]]\nrule = "{RULE}"\nreason = "ping"\nfiles = "k8s/*.yaml"\n'
        '[[accept]]\nrule = "no-access-log"\nreason = "no bucket"\n',
    )
    assert (some.where.line, every.where.line) == (1, 5)
    outside = finding(1, path=Path("x/web.yaml"))
    result = applied([finding(1), finding(9), outside, finding(None, "no-access-log")], [some, every])
    assert [(one.rule, bool(one.accepted)) for one in result] == [
        (RULE, False),
        ("no-access-log", True),
        (RULE, True),
        (RULE, True),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("accept = 1\n", r"there is no \[\[accept\]\]"),
        ("", r"there is no \[\[accept\]\]"),
        ("[[allow]]\n", "unknown key 'allow'"),
        ("[[accept]\n", "accept.toml:1: not valid TOML"),
        ('[[accept]]\nrule = "x"\nwhy = "y"\n', "accept.toml:1: unknown key 'why'"),
        ("[[accept]]\nrule = 1\n", "rule, files and reason are texts"),
        (f'[[accept]]\nrule = "{RULE}"\n', "without a reason"),
        ('[[accept]]\nreason = "ping"\n', "names no rule"),
        ('accept = [{rule = "no", reason = "ping"}]\n', "accept.toml: there is no rule 'no'"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        entries(tmp_path, text)


def said_or_refused(text: str) -> tuple[list[Acceptance], str]:
    try:
        return said(text), ""
    except BadInput as error:
        return [], str(error)


_WORDS = st.sampled_from(
    [
        "#",
        " # ",
        "testbed:",
        " accept ",
        RULE,
        " we ping",
        "\n",
        "a: ",
        "- ",
        "|\n  ",
        "'",
        '"',
        "x",
        "\u00e9",
    ]
)


@given(st.lists(_WORDS, max_size=14).map("".join))
@example(f"# testbed: accept {RULE} we ping")
def test_any_acceptance_ends_in_a_finding_marked_or_one_line(text: str) -> None:
    try:
        roots = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return
    assert roots is not None
    found, refusal = said_or_refused(text)
    assert not refusal or (refusal.startswith("k8s/web.yaml:") and "\n" not in refusal)
    for one in found:
        assert one.line
        [marked] = applied([finding(one.line)], [one])
        assert marked.accepted == one
        assert [each.rule for each in applied([], [one])] == [UNUSED]


def test_every_rule_can_be_accepted() -> None:
    for rule in rule_registry.all_rules():
        said(f"a: 1 # testbed: accept {rule.id} we know\n")
