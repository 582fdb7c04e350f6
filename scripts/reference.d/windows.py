"""Sentiment over event time, computed plainly: every post of a file in a list, every window by a loop over its posts.

Shares nothing with moodring but the rules that docs/live.md states. Decimal and integer arithmetic, so that nothing
depends on the order of additions.
"""

import csv
import gzip
import json
import math
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
NOTATIONS = ["%Y-%m-%d %H:%M:%S %z", "%a %b %d %H:%M:%S %z %Y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"]
UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
COLUMNS = "group start end count mean std positive neutral negative p10 p50 p90".split()


def width(text):
    """A width such as `15m`, in microseconds."""
    digits = text.rstrip("msdh")
    return int(digits) * UNITS[text[len(digits):]]


def micros(text):
    """A point in time in microseconds since 1970; local times are UTC."""
    text = text.strip()
    if text.replace(".", "", 1).isdigit():
        number = Decimal(text)
        scale = 1_000_000 if number < 10**11 else 1_000 if number < 10**14 else 1
        return int(number * scale)
    for notation in NOTATIONS:
        try:
            time = datetime.strptime(text, notation)
            break
        except ValueError:
            continue
    else:
        time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        time = time.replace(tzinfo=timezone.utc)
    return (time - EPOCH) // timedelta(microseconds=1)


def moment(micros):
    """The time as moodring writes it."""
    time = EPOCH + timedelta(microseconds=micros)
    fraction = f"{time.microsecond:06}".rstrip("0")
    return time.strftime("%Y-%m-%dT%H:%M:%S") + ("." + fraction if fraction else "") + "Z"


def records(path):
    """The records of a CSV, TSV or JSON lines file as dictionaries."""
    name = str(path)
    opener = gzip.open if name.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8", newline="") as file:
        name = name.removesuffix(".gz")
        if name.endswith(".jsonl") or name.endswith(".ndjson"):
            for line in file:
                if line.strip():
                    yield json.loads(line)
        else:
            tabs = name.endswith(".tsv")
            quoting = csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL
            yield from csv.DictReader(file, delimiter="\t" if tabs else ",", quoting=quoting)


def groups_of(post, group_by):
    """The groups that a post counts in."""
    if group_by == "all":
        return [""]
    value = post.get(group_by.removeprefix("field:"))
    if isinstance(value, list):
        return sorted(set(map(str, value)))
    return ["" if value is None else str(value)]


def posts(path, args, compound):
    """Of each post its time, its score in millionths, its groups. A repeated id counts once."""
    seen = set()
    for post in records(path):
        text, time = post.get(args.text_field), post.get(args.time_field)
        if not isinstance(text, str) or time in (None, ""):
            continue
        if args.id_field and post.get(args.id_field) is not None:
            if post[args.id_field] in seen:
                continue
            seen.add(post[args.id_field])
        score = int(Decimal(repr(compound(text))).scaleb(6).to_integral_value(ROUND_HALF_UP))
        yield micros(str(time)), score, groups_of(post, args.group_by)


def rounded(numerator, denominator):
    """A fraction of integers in millionths, to the nearest, halves away from zero."""
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def decimal(millionths, places):
    """Millionths as the shortest decimal."""
    text = f"{Decimal(millionths).scaleb(-6):.{places}f}".rstrip("0")
    text = text + "0" if text.endswith(".") else text
    return "0.0" if text == "-0.0" else text


def quantile(scores, percent):
    """The nearest rank, of scores to three decimals."""
    rank = max(1, -(-len(scores) * percent // 100))
    score = sorted(scores)[rank - 1]
    sign = -1 if score < 0 else 1
    return decimal(sign * ((abs(score) + 500) // 1000) * 1000, 3)


def window(group, start, end, scores):
    """What moodring says of a window with these scores."""
    count, total = len(scores), sum(scores)
    spread = count * sum(score * score for score in scores) - total * total
    # The root of spread/count², in millionths, to the nearest.
    std = (math.isqrt(4 * spread) + count) // (2 * count)
    classes = [
        sum(score >= 50_000 for score in scores),
        sum(-50_000 < score < 50_000 for score in scores),
        sum(score <= -50_000 for score in scores),
    ]
    return dict(
        zip(
            COLUMNS,
            [group, moment(start), moment(end), str(count), decimal(rounded(total, count), 6), decimal(std, 6)]
            + list(map(str, classes))
            + [quantile(scores, percent) for percent in (10, 50, 90)],
        )
    )


def windows(path, args, compound):
    """Every window that holds a post, by group and time."""
    length, slide = width(args.window), width(args.slide or args.window)
    members = defaultdict(list)
    for time, score, groups in posts(path, args, compound):
        first = (time - length) // slide * slide + slide
        for group in groups:
            for start in range(first, time + 1, slide):
                members[group, start].append(score)
    return [window(group, start, start + length, scores) for (group, start), scores in sorted(members.items())]


def normal(row):
    """The columns that are compared; numbers by value."""
    number = lambda text: str(Decimal(text).normalize() + 0)
    return tuple(row[name] if name in ("group", "start", "end") else number(row[name]) for name in COLUMNS)


def read_windows(path):
    """The windows that moodring wrote, as CSV or JSON lines."""
    with open(path, encoding="utf-8", newline="") as file:
        if str(path).endswith(".jsonl"):
            return [{key: str(value) for key, value in json.loads(line, parse_float=str).items()} for line in file]
        return list(csv.DictReader(file))


def compare(expected, found):
    """Prints the first differences, and says whether there are any."""
    expected, found = {normal(row) for row in expected}, [normal(row) for row in found]
    wrong = sorted(set(found) - expected) + sorted(expected - set(found))
    for row in wrong[:5]:
        print("only", "moodring" if row in found else "reference", *row)
    repeated = len(found) - len(set(found))
    print(f"{len(found)} windows of moodring, {len(expected)} of the reference, {len(wrong)} differ, {repeated} repeated")
    return bool(wrong or repeated)
