"""What many ask at once, answered for many at once.

Who asks while an answer is on its way waits for the next, which is for all who wait: the more ask,
the less each costs.  Every answer is looked for after its question was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from microblog.kernel.db import FAULTS

MOST = 100  # questions in one answer

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class _Asked(Generic[Question, Answer]):
    __slots__ = ("answer", "fault", "is_alone", "question", "turn")

    def __init__(self, question: Question, turn: asyncio.Future[None]) -> None:
        self.question = question
        self.turn = turn  # done when it is answered, or when it is to ask
        self.answer: Answer | None = None
        self.fault: Exception | None = None
        self.is_alone = False


class Together(Generic[Question, Answer]):
    """`ask` is handed questions and returns as many answers, in their order; `are_near` tells
    which of those that wait go with the first.

    Whoever's turn it is asks, for those behind them, too.  A database that is away is told to all
    of them.  What else goes wrong is told to who asks; it may be about a single question, so each
    of the others, once taken along in vain, is asked by itself.
    """

    def __init__(
        self,
        ask: Callable[[list[Question]], Awaitable[Sequence[Answer]]],
        are_near: Callable[[Question, Question], bool] = lambda _first, _other: True,
    ) -> None:
        self._ask = ask
        self._are_near = are_near
        self._waiting: dict[_Asked[Question, Answer], None] = {}  # in the order they came
        self._turn: _Asked[Question, Answer] | None = None  # whose it is

    async def answer(self, question: Question) -> Answer | None:
        """Raises what went wrong; None only where `ask` says so."""
        mine = _Asked[Question, Answer](question, asyncio.get_running_loop().create_future())
        self._waiting[mine] = None
        if self._turn is None:
            self._pass_on()
        try:
            await mine.turn
            if self._turn is mine:
                await self._ask_for(self._those_near(mine))
        finally:
            self._waiting.pop(mine, None)
            if self._turn is mine:
                self._pass_on()
        if mine.fault is not None:
            raise mine.fault
        return mine.answer

    def _pass_on(self) -> None:
        self._turn = next(iter(self._waiting), None)
        if self._turn is not None:
            _wake(self._turn)

    def _those_near(self, first: _Asked[Question, Answer]) -> list[_Asked[Question, Answer]]:
        if first.is_alone:
            return [first]
        return [
            one
            for one in islice(self._waiting, MOST)
            if one is first or self._are_near(first.question, one.question)
        ]

    async def _ask_for(self, together: list[_Asked[Question, Answer]]) -> None:
        for one in together:
            one.is_alone = True
        answers: Sequence[Answer | None] = [None] * len(together)
        fault: Exception | None = None
        try:
            answers = await self._ask([one.question for one in together])
        except FAULTS as error:
            fault = error
        for one, answer in zip(together, answers, strict=True):
            one.answer, one.fault = answer, fault
            self._waiting.pop(one, None)
            _wake(one)


def _wake(asked: _Asked[Question, Answer]) -> None:
    if not asked.turn.done():  # else they have left
        asked.turn.set_result(None)
