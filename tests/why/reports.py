"""Reports made by hand: what a page or a table must be able to show, whoever found it."""

import random
from dataclasses import replace

from radixlab.why.report import CAUSES, Branch, Break, CauseRow, Fix, Report

BIDI = [chr(k) for k in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
HOSTILE = {
    "a script": "</script><script>window.pwned = 1</script>",
    "a comment": "<!--<script>",
    "an image": "<img src=x onerror='window.pwned = 1'>",
    "an attribute": "\" onmouseover='window.pwned = 1' x=\"",
    "a style": "</style></title></svg><base href='http://example.invalid'>",
    "css": "}</style><link rel=stylesheet href=//example.invalid>",
    "a template": "{css}{0}{{}}%s${window.pwned = 1}`",
    "svg": '"/><foreignObject><iframe src="javascript:window.pwned=1"/></foreignObject>',
    "cdata": "]]><![CDATA[",
    "an entity": "&lt;&#0;&amp;quot;",
    "controls": "".join(map(chr, [*range(32), 127, *range(0x80, 0xA0)])),
    "a terminal's escape": "\x1b[2J\x1b]0;owned\x07",
    "line ends": "a\r\nb\u2028c\u2029d\x85e",
    "a lone surrogate": "\ud83d x \ude00",
    "surrogates, turned round": "\ude00\ud83d",
    "nothing to see": "a\u200bb\u00adc\ufeff\U000e0001\U000e0041",
    "combining": "e" + "\u0301" * 400,
    "emoji": "😀👩‍👩‍👧🇩🇪" * 40,
    "Chinese": "你好世界" * 40,
    "Arabic": "مرحبا بالعالم",
    "long": "x" * 10_000,
    "long, of blanks": " " * 10_000,
    "noncharacters": "\ue000\uffff\U0010ffff",
} | {f"U+{ord(c):04X}": f"a{c}b" for c in BIDI}


def clock(num_requests: int = 24) -> Report:
    """The lesson's incident: a clock at the top of every prompt."""
    place = "prompt, line 1, character 6"
    rest = " Oskar Westwood plays the recorder."
    found = [
        Break(
            k + 1, k, "volatile_value", place, f"10:{33 + k}", f"10:{34 + k}", 253, 0, 240,
            "Time ", rest,
        )
        for k in range(1, num_requests)
    ]  # fmt: skip
    branches = [Branch(0, None, "Time 10:3", 2, num_requests, None)]
    branches += [
        Branch(k + 1, 0, f"{4 + k}{rest}", 251, 1, "volatile_value" if k else None)
        for k in range(num_requests)
    ]
    prompt_tokens, lost = 253 * num_requests, 240 * (num_requests - 1)
    return Report(
        requests=num_requests,
        skipped_lines=("line 7: not JSON: Expecting value at character 1",),
        num_skipped=3,
        prompt_tokens=prompt_tokens,
        hit_tokens=0,
        reported_hit_rate=0.0,
        possible_hit_rate=lost / prompt_tokens,
        tokenizer="bytes ÷ 4",
        causes=(
            CauseRow("volatile_value", num_requests - 1, lost, place, "10:34", "10:35"),
            CauseRow("never_seen", num_requests, prompt_tokens - lost, "", "", ""),
        ),
        fixes=(
            Fix(
                f"Move the time ({place}) to the end of the prompt.",
                "volatile_value", lost / prompt_tokens, lost / prompt_tokens,
            ),
        ),
        breaks=tuple(found),
        branches=tuple(branches),
    )  # fmt: skip


def every_cause() -> Report:
    """A report in which each cause has a row and a break."""
    tokens = {cause: 100 * (k + 1) for k, cause in enumerate(CAUSES)}
    ordered = sorted(tokens, key=lambda cause: (cause == "never_seen", -tokens[cause]))
    rows = [
        CauseRow(c, 2, tokens[c], f"system, {c}", f"earlier-{c}", f"later-{c}") for c in ordered
    ]
    found = [
        Break(9, 3, c, f"system, {c}", f"earlier-{c}", f"later-{c}", 900, 10, tokens[c], "a ", " z")
        for c in ordered
        if c != "never_seen"
    ]
    base = clock()
    prompt_tokens = sum(tokens.values()) + 500
    return replace(
        base,
        prompt_tokens=prompt_tokens,
        hit_tokens=500,
        causes=tuple(rows),
        breaks=tuple(found),
        fixes=tuple(Fix(f"mend {c}", c, 0.5, 0.25) for c in ordered if c != "never_seen"),
    )


def hostile(text: str) -> Report:
    """A report in which every text that a log could have a hand in is this one."""
    base = clock(3)
    row = CauseRow("volatile_value", 2, 300, text, text, f"{text}x")
    white = CauseRow("whitespace", 2, 200, "system", text, f" {text}")
    return replace(
        base,
        skipped_lines=(text,),
        tokenizer=text,
        causes=(row, white, base.causes[1]),
        fixes=(Fix(text, "volatile_value", 0.5, 0.5),),
        breaks=tuple(
            Break(3, 2, cause, text, text, f"{text}x", 253, 0, 100, text, text)
            for cause in ("volatile_value", "whitespace", "order_changed")
        ),
        branches=tuple(replace(each, label=text) for each in base.branches),
    )


def without_text(report: Report) -> Report:
    """The same report as `--no-text` makes it."""
    return replace(
        report,
        causes=tuple(replace(row, before="", after="") for row in report.causes),
        breaks=tuple(replace(b, before="", after="", lead="", tail="") for b in report.breaks),
        branches=tuple(replace(each, label="system") for each in report.branches),
    )


def empty() -> Report:
    """A log without a request."""
    return Report(0, (), 0, 0, 0, None, 0.0, "bytes ÷ 4", (), (), (), ())


def grown(seed: int, size: int) -> list[Branch]:
    """A tree of any shape: chains, wide nodes, several roots, parents that were left out."""
    draw = random.Random(seed)
    shape = draw.choice(["chain", "star", "any", "forest"])
    found: list[Branch] = []
    for k in range(size):
        parent = {
            "chain": k - 1,
            "star": 0,
            "any": draw.randrange(k) if k else -1,
            "forest": draw.randrange(-2, k),
        }[shape]
        known = None if k == 0 or parent < 0 else parent
        cause = draw.choice([None, "never_seen", *CAUSES])
        found.append(Branch(k, known, f"text {k}", draw.randrange(1, 99), size - k, cause))
    return found
