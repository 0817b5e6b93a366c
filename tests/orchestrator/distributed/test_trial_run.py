"""The trial before a run: it ends although a part of it misses the end."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from orchestrator.distributed import trial_run
from orchestrator.distributed.trial_run import _until_over
from protocol.errors import RunError


async def ended() -> None:
    """A part that ends at once."""


async def endless() -> None:
    """A part that hears of no end."""
    await asyncio.Event().wait()


async def failing() -> None:
    """A part that cannot go on."""
    raise RunError("no way")


async def test_a_part_that_misses_the_end_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trial_run, "TRIAL_FAREWELL", 0.01)
    await asyncio.wait_for(_until_over(ended(), ended(), endless()), 30)


@pytest.mark.parametrize("parts", [(failing, ended), (ended, failing), (failing, endless)])
async def test_the_failure_of_any_part_is_that_of_the_trial(
    monkeypatch: pytest.MonkeyPatch, parts: tuple[Callable[[], Coroutine[Any, Any, None]], ...]
) -> None:
    monkeypatch.setattr(trial_run, "TRIAL_FAREWELL", 0.01)
    with pytest.raises(RunError, match="no way"):
        await asyncio.wait_for(_until_over(*(part() for part in parts)), 30)
