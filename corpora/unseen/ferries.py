"""Which crossings of a small ferry line can still be sold, from a timetable in plain text.

A line of the timetable is `MON-FRI 07:15 Lerwik > Brund 38 cars 2`: days, departure, harbours,
places for passengers, places for cars. A line that begins with # is a remark.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
CLOSES = timedelta(minutes=12)
"""Before departure nothing is sold any more."""

_LINE = re.compile(
    r"(?P<days>[A-Z,-]+)\s+(?P<hour>\d\d):(?P<minute>\d\d)\s+(?P<origin>\w+)\s*>\s*(?P<target>\w+)"
    r"\s+(?P<people>\d+)(?:\s+cars\s+(?P<cars>\d+))?$"
)


class TimetableError(ValueError):
    """A line that can't be read; the message has its number."""


@dataclass(frozen=True, order=True)
class Crossing:
    """One departure that is repeated on some days of the week."""

    leaves: time
    origin: str
    target: str
    people: int
    cars: int = 0
    days: frozenset[int] = field(default=frozenset(range(7)), compare=False)

    def runs_on(self, day: date) -> bool:
        return day.weekday() in self.days

    def moment(self, day: date) -> datetime:
        return datetime.combine(day, self.leaves)


def parse_days(text: str) -> frozenset[int]:
    """`MON-FRI,SUN` as numbers from 0, which is Monday; a range may pass over Sunday."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin = DAYS.index(first)
        end = DAYS.index(last or first)
        span = (end - begin) % len(DAYS)
        found.update((begin + i) % len(DAYS) for i in range(span + 1))
    return frozenset(found)


def parse(lines: list[str]) -> list[Crossing]:
    """All crossings of a timetable, the earliest first."""
    crossings = []
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None:
            raise TimetableError(f"line {number} is no crossing: {line!r}")
        try:
            days = parse_days(match["days"])
            leaves = time(int(match["hour"]), int(match["minute"]))
        except ValueError as error:
            raise TimetableError(f"line {number}: {error}") from error
        crossings.append(
            Crossing(
                leaves, match["origin"], match["target"], int(match["people"]),
                int(match["cars"] or 0), days,
            )
        )
    return sorted(crossings)


class Desk:
    """Sells places, and remembers which are gone."""

    def __init__(self, crossings: list[Crossing]) -> None:
        self._crossings = crossings
        self._sold: dict[tuple[Crossing, date], list[int]] = defaultdict(lambda: [0, 0])

    def left(self, crossing: Crossing, day: date) -> tuple[int, int]:
        people, cars = self._sold[crossing, day]
        return crossing.people - people, crossing.cars - cars

    def offers(self, origin: str, target: str, now: datetime, cars: int = 0) -> list[Crossing]:
        """What can be had today, from this moment on."""
        day = now.date()
        return [
            c
            for c in self._crossings
            if (c.origin, c.target) == (origin, target)
            and c.runs_on(day)
            and c.moment(day) - now >= CLOSES
            and self.left(c, day)[0] > 0
            and self.left(c, day)[1] >= cars
        ]

    def sell(self, crossing: Crossing, day: date, people: int, cars: int = 0) -> None:
        free_people, free_cars = self.left(crossing, day)
        if people > free_people or cars > free_cars:
            raise LookupError(f"only {free_people} places and {free_cars} for cars are left")
        sold = self._sold[crossing, day]
        sold[0] += people
        sold[1] += cars
