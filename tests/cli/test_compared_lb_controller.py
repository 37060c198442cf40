"""What `compare --lb-controller` prints of two runs; `tests/e2e/test_real_lb_controller.py` makes two."""

from __future__ import annotations

import pytest

from testbed.cli.compared_lb_controller import show
from testbed.rehearsal.compared_balancers import Acts, Moment
from testbed.releases import LB_CONTROLLER, Named
from testbed.report.console import Terminal

CHOICE = LB_CONTROLLER.choose(Named("v3.5.0", "--lb-controller", "./controller"))
BALANCER = {"application load balancer of ingress-group/shop": {"Scheme": "internal"}}
OTHER = {"application load balancer of ingress-group/shop": {"Scheme": "internet-facing"}}


def test_moments_that_agree_are_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    acts = Acts([Moment(0, ("apply a.yaml",), {}), Moment(1, ("apply b.yaml",), BALANCER)])
    assert show(Terminal(), CHOICE, acts, acts) == 0
    assert capsys.readouterr().out.splitlines() == [
        "before the first step",
        "  · apply a.yaml",
        "    = both have 0 load balancers and 0 target groups",
        "step 1",
        "  · apply b.yaml",
        "    = both have 1 load balancer and 0 target groups",
        "",
        "AWS Load Balancer Controller v3.5.0, the real one: ./controller (--lb-controller): "
        "the model of ELBv2 at 2 moments: no difference",
    ]


def test_a_difference_is_exit_code_1_and_shown_after_its_act(capsys: pytest.CaptureFixture[str]) -> None:
    one, other = Moment(1, ("apply",), BALANCER), Moment(1, ("apply",), OTHER)
    assert show(Terminal(), CHOICE, Acts([one]), Acts([other], "kubectl x")) == 1
    assert (
        "    ! application load balancer of ingress-group/shop: Scheme is internal with the emulation "
        "of v3.5.0, internet-facing with ./controller"
    ) in capsys.readouterr().out.splitlines()


def test_a_story_that_ended_early_or_made_nothing_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    made, nothing = [Moment(1, ("apply",), BALANCER)], [Moment(1, ("apply",), {})]
    assert show(Terminal(), CHOICE, Acts(made), Acts(made, "kubectl x")) == 4
    assert "The story ended at `kubectl x`, which failed" in capsys.readouterr().out
    assert show(Terminal(), CHOICE, Acts(nothing), Acts(nothing)) == 4
    assert "No load balancer was made" in capsys.readouterr().out
    # A run that came further than the other is held against it as far as both came.
    assert show(Terminal(), CHOICE, Acts(made * 2), Acts(made, "kubectl x")) == 4
