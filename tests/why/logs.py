"""Logs of chats with one known fault, or two, each beside its fault-free twin.

    chats(seed) ─► twin (append-only, several tenants, sessions interleaved)
        └─ a fault changes the bodies ─► faulty log, and the place of the fault

This file knows bodies of requests. It knows nothing of how faults are found: it was written before
the classifier and is not tuned to it. A twin holds the faulty value too, but always the same one.
"""

import copy
import json
import random
import unicodedata
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)

WORDS = (  # noqa: SIM905 (one word a line would hide the file)
    "account address agent amount answer archive audit balance basket battery bearing board "
    "border bridge budget cable calendar camera canal carrier cellar charge circuit claim "
    "client climate cloud colour column comment contract copper corner courier credit current "
    "customer damage data delay delivery deposit design detail device discount district "
    "document door draft driver duty engine entry error estimate evening export factor field "
    "file filter fleet floor form freight garden gate glass grain ground guide harbour "
    "heating hinge history hour index insurance invoice item journal kettle label ladder lamp "
    "language layer ledger letter level licence limit line list load lock machine manager "
    "manual margin market material measure meeting memory menu message meter method minute "
    "mirror model module month morning motor network notice number office oil order outlet "
    "owner package page panel paper parcel part partner payment period permit phone picture "
    "pipe plan plant platform point policy port power price printer process product profile "
    "project promise pump quarter question queue rail range rate reader reason receipt record "
    "refund region register repair reply report request reserve result return review ring "
    "river road roof room route rule safety sample scale schedule screen season seat section "
    "sensor service sheet shelf ship shop signal size socket source spare spring staff stage "
    "station status steel step stock storage street subject summary supply surface switch "
    "system table tank target tax team term test ticket tile timber time tool total tower "
    "track trade train transfer truck tunnel tyre unit user valve value van vehicle version "
    "voucher wage wagon wall warehouse warranty water week weight wheel window winter wire "
    "worker workshop yard"
).split()
VERBS = (  # noqa: SIM905
    "checks closes counts covers delays drops explains finds fixes follows holds keeps leaves "
    "lists loads makes marks meets moves names needs opens orders passes pays plans prints "
    "reads repairs returns sends shows signs stores takes tells tests turns uses waits writes"
).split()
COMPANIES = ("Halden Freight", "Orrin Pumps", "Café Lumière", "Westmark Tools", "Pell & Sons")


class Writer:
    """Seeded prose."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def sentence(self):
        rng = self.rng
        words = []
        for _ in range(rng.randint(2, 4)):
            words += ["the", rng.choice(WORDS), rng.choice(VERBS), "a", rng.choice(WORDS)]
            words += [rng.choice(["and", "while", "because", "if", "so", "before"])]
        return " ".join(words[:-1]).capitalize() + rng.choice([".", ".", ".", "?"])

    def prose(self, num_sentences):
        return " ".join(self.sentence() for _ in range(num_sentences))


@dataclass
class Tenant:
    """One customer of the service: its instruction, its tools and the API that it speaks."""

    name: str
    form: str
    model: str
    head: str
    rules: list
    settings: dict
    examples: list
    documents: list
    tools: list


def tenant(number, rng):
    write = Writer(rng.random())
    properties = ["amount", "customer", "date", "reason", "region", "unit", "note", "priority"]
    names = rng.sample(WORDS, 6)
    tools = []
    for name in names:
        chosen = rng.sample(properties, rng.randint(3, 5))
        tools.append(
            {
                "name": f"{rng.choice(['find', 'update', 'close', 'list'])}_{name}",
                "description": write.prose(2),
                "parameters": {
                    "type": "object",
                    "properties": {
                        key: {"type": "string", "description": write.sentence()} for key in chosen
                    },
                    "required": chosen[:2],
                },
            }
        )
    settings = {
        "language": rng.choice(["en", "de", "fr"]),
        "currency": rng.choice(["EUR", "USD", "GBP"]),
        "greeting": write.sentence(),
        "opening_hours": {"from": "08:30", "to": "17:45"},
        "escalate_to": [rng.choice(WORDS) for _ in range(3)],
        "signature": write.sentence(),
    }
    return Tenant(
        name=COMPANIES[number % len(COMPANIES)],
        form=["chat", "anthropic", "completion"][number % 3],
        model=["gpt-4o", "claude-sonnet-4-5", "mistral-7b"][number % 3],
        head=f"You are the assistant of {COMPANIES[number % len(COMPANIES)]}. {write.prose(2)}",
        rules=[write.prose(2) for _ in range(rng.randint(8, 14))],
        settings=settings,
        examples=[(write.prose(1), write.prose(2)) for _ in range(6)],
        documents=[write.prose(6) for _ in range(4)],
        tools=tools,
    )


@dataclass
class Turn:
    """One request before it becomes a body: everything that a fault may change."""

    tenant: Tenant
    session: str
    number: int
    """Of the turn in its session, from 0."""
    time: datetime
    history: list
    """(role, text), oldest first; the last one is the user's."""
    head: str = ""
    rules: list = field(default_factory=list)
    settings: str = ""
    examples: list = field(default_factory=list)
    documents: list = field(default_factory=list)
    tools: list = field(default_factory=list)
    model: str = ""
    extra: dict = field(default_factory=dict)
    value_line: str = ""
    """The line in which a volatile value stands; no line where it is empty."""
    value_place: str = "top"
    system: str | None = None
    """Set by faults that change the whole text of the instruction."""

    def system_text(self):
        if self.system is not None:
            return self.system
        rules = [f"{number}. {rule}" for number, rule in enumerate(self.rules, 1)]
        if self.value_line and self.value_place == "middle":
            rules.insert(len(rules) // 2, self.value_line)
        lines = [self.head, "", "Rules:", *rules, "", f"Settings: {self.settings}", "", "Examples:"]
        if self.value_line and self.value_place == "top":
            lines.insert(1, self.value_line)
        for question, answer in self.examples:
            lines += ["", f"Question: {question}", f"Answer: {answer}"]
        lines += ["", "Documents:"]
        for text in self.documents:
            lines += ["", f"<document>{text}</document>"]
        if self.value_line and self.value_place == "bottom":
            lines += ["", self.value_line]
        return "\n".join(lines)

    def body(self):
        """The request as the tenant's API takes it, with what a log adds."""
        form = self.tenant.form
        messages = [{"role": role, "content": text} for role, text in self.history]
        body = {"model": self.model}
        if form == "chat":
            body["messages"] = [{"role": "system", "content": self.system_text()}, *messages]
            body["tools"] = [{"type": "function", "function": tool} for tool in self.tools]
        elif form == "anthropic":
            body["max_tokens"] = 512
            body["system"] = self.system_text()
            body["messages"] = messages
            body["tools"] = [
                {"input_schema" if key == "parameters" else key: each for key, each in tool.items()}
                for tool in self.tools
            ]
        else:
            said = "\n".join(f"{role.title()}: {text}" for role, text in self.history)
            body["prompt"] = f"{self.system_text()}\n\n{said}\nAssistant:"
        body |= self.extra
        body["timestamp"] = self.time.timestamp()
        body["session"] = self.session
        return body


def chats(seed, *, num_tenants=3, sessions=3, turns=5, gap_s=(15, 60)):
    """Append-only chats of several tenants, sessions interleaved by time."""
    rng = random.Random(seed)
    log = []
    for number in range(num_tenants):
        owner = tenant(number, rng)
        for visit in range(sessions):
            write = Writer(rng.random())
            time = START + timedelta(seconds=rng.uniform(0, 60) + 90 * visit)
            history = []
            name = f"s{number}-{visit}"
            for turn in range(rng.randint(turns - 1, turns + 1)):
                history = [*history, ("user", write.prose(rng.randint(1, 3)))]
                log.append(
                    Turn(
                        owner,
                        name,
                        turn,
                        time,
                        list(history),
                        head=owner.head,
                        rules=list(owner.rules),
                        settings=json.dumps(owner.settings, ensure_ascii=False),
                        examples=list(owner.examples),
                        documents=list(owner.documents),
                        tools=copy.deepcopy(owner.tools),
                        model=owner.model,
                    )
                )
                history = [*history, ("assistant", write.prose(rng.randint(2, 5)))]
                time += timedelta(seconds=rng.uniform(*gap_s))
    log.sort(key=lambda turn: turn.time)
    return log


# ---- faults: each changes a list of turns in place and returns where to look


@dataclass(frozen=True)
class Place:
    """Where a fault is: the field in words, and the values that the report should show whole."""

    cause: str
    field: str
    """`system`, `tools`, `history`, or "" where a request as a whole is meant."""
    values: tuple = ()


def volatile(make, line, place="top", scale=1):
    """A fault that writes a value into the instruction; the twin has the first value everywhere."""

    def change(log, rng, constant):
        values = []
        for turn in log:
            turn.time = START + (turn.time - START) * scale
        for index, turn in enumerate(log):
            values.append(make(turn, index, rng))
        for turn, value in zip(log, values, strict=True):
            turn.value_line = line.format(values[0] if constant else value)
            turn.value_place = place
        return Place("volatile_value", "system", tuple(dict.fromkeys(values)))

    return change


def session_value(make):
    """The same value for all turns of one session."""
    known = {}

    def value(turn, index, rng):
        if index == 0:
            known.clear()
        if turn.session not in known:
            known[turn.session] = make(rng)
        return known[turn.session]

    return value


def hexadecimal(rng, length=16):
    return "".join(rng.choice("0123456789abcdef") for _ in range(length))


def each(change_turn, cause, where):
    """A fault that changes turns one by one, and leaves the twin alone."""

    def change(log, rng, constant):
        if not constant:
            for turn in log:
                change_turn(turn, rng)
        return Place(cause, where)

    return change


def shuffle(name):
    def change(turn, rng):
        items = list(getattr(turn, name))
        rng.shuffle(items)
        setattr(turn, name, items)

    return change


def shuffle_keys(turn, rng):
    items = list(json.loads(turn.settings).items())
    rng.shuffle(items)
    turn.settings = json.dumps(dict(items), ensure_ascii=False)


def shuffle_tool_keys(turn, rng):
    for tool in turn.tools:
        items = list(tool["parameters"]["properties"].items())
        rng.shuffle(items)
        tool["parameters"]["properties"] = dict(items)


def double_spaces(turn, rng):
    words = turn.head.split(" ")
    spot = rng.randrange(1, len(words))
    turn.head = " ".join(words[:spot]) + "  " + " ".join(words[spot:])


def trailing_newline(turn, rng):
    turn.head = turn.head + rng.choice(["", "\n", " ", "\n\n"])


def carriage_returns(turn, rng):
    if rng.random() < 0.5:
        turn.system = turn.system_text().replace("\n", "\r\n")


def indentation(turn, rng):
    indent = rng.choice([None, 2, 4])
    turn.settings = json.dumps(json.loads(turn.settings), indent=indent, ensure_ascii=False)


def separators(turn, rng):
    chosen = rng.choice([(", ", ": "), (",", ":")])
    turn.settings = json.dumps(json.loads(turn.settings), separators=chosen, ensure_ascii=False)


def escapes(turn, rng):
    turn.head = "Café Lumière rules apply. " + turn.head
    turn.settings = json.dumps(
        {"motto": "déjà vu – toujours prêt"} | json.loads(turn.settings),
        ensure_ascii=rng.random() < 0.5,
    )


def normal_form(turn, rng):
    turn.head = "Réponds à la clientèle, s’il te plaît. " + turn.head
    if rng.random() < 0.5:
        turn.head = unicodedata.normalize("NFD", turn.head)


def both(change_turn):
    """Some texts are there in the twin as well: only what `change_turn` draws must not vary."""

    class Still(random.Random):
        def random(self):
            return 0.9

    def change(log, rng, constant):
        for turn in log:
            change_turn(turn, Still(0) if constant else rng)
        return Place("whitespace", "system")

    return change


def cut_middle(turn, rng):
    if len(turn.history) >= 7 and rng.random() < 0.7:
        start = rng.randrange(1, len(turn.history) - 5)
        turn.history = turn.history[:start] + turn.history[start + 2 :]


def cut_head(turn, rng):
    turn.history = turn.history[-5:] if len(turn.history) > 5 else turn.history


def edit_message(turn, rng):
    if len(turn.history) >= 5 and rng.random() < 0.7:
        at = rng.randrange(0, 2)
        role, text = turn.history[at]
        words = text.split(" ")
        spot = rng.randrange(min(6, len(words)))
        words[spot] = rng.choice(WORDS) + rng.choice(VERBS)
        turn.history = [*turn.history[:at], (role, " ".join(words)), *turn.history[at + 1 :]]


def change_model(turn, rng):
    turn.model = rng.choice([turn.model, turn.model + "-mini"])


def change_parameter(turn, rng):
    turn.extra = {"reasoning_effort": rng.choice(["low", "high"])}


def one_parameter(log, rng, constant):
    for turn in log:
        change_parameter(turn, rng)
        if constant:
            turn.extra = {"reasoning_effort": "low"}
    return Place("model_changed", "")


def pauses(log, rng, constant):
    """Every session goes silent for longer than the time to live, all at the same time."""
    if not constant:
        breaks = sorted(rng.sample(range(len(log) // 4, len(log)), 4))
        for spot in breaks:
            for turn in log[spot:]:
                turn.time += timedelta(seconds=rng.randint(900, 901))
    return Place("expired", "")


def nothing(cause):
    """A fault of the setting, not of the log: the twin is the same log under another setting."""
    return lambda log, rng, constant: Place(cause, "")


def clock(pattern):
    return lambda turn, index, rng: turn.time.strftime(pattern)


DAYS = 86_400 // 90
"""Makes a chat of minutes one of days."""

FAULTS = {
    "clock": volatile(clock("%H:%M:%S"), "The time is now {}."),
    "clock in the middle": volatile(clock("%H:%M:%S"), "Time now: {}", "middle"),
    "clock at the bottom": volatile(clock("%Y-%m-%d %H:%M:%S"), "Current time: {}", "bottom"),
    "date iso": volatile(clock("%Y-%m-%d"), "Today is {}.", scale=DAYS),
    "date long": volatile(clock("%A, %d %B %Y"), "Today is {}.", scale=DAYS),
    "date american": volatile(clock("%m/%d/%Y"), "Date: {}", scale=DAYS),
    "date rfc": volatile(clock("%a, %d %b %Y %H:%M:%S GMT"), "Date: {}"),
    "timestamp iso": volatile(lambda turn, i, rng: turn.time.isoformat(), "timestamp={}"),
    "session uuid": volatile(
        session_value(lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4))),
        "Session: {}",
    ),
    "request counter": volatile(lambda turn, index, rng: str(1041 + index), "Request number {}."),
    "random hex": volatile(lambda turn, index, rng: hexadecimal(rng), "trace id {}", "top"),
    "tools shuffled": each(shuffle("tools"), "order_changed", "tools"),
    "examples shuffled": each(shuffle("examples"), "order_changed", "system"),
    "documents shuffled": each(shuffle("documents"), "order_changed", "system"),
    "keys shuffled": each(shuffle_keys, "order_changed", "system"),
    "tool keys shuffled": each(shuffle_tool_keys, "order_changed", "tools"),
    "double spaces": each(double_spaces, "whitespace", "system"),
    "trailing newline": each(trailing_newline, "whitespace", "system"),
    "carriage returns": each(carriage_returns, "whitespace", "system"),
    "indentation": each(indentation, "whitespace", "system"),
    "separators": each(separators, "whitespace", "system"),
    "escapes": both(escapes),
    "normal form": both(normal_form),
    "history cut": each(cut_middle, "history_edited", "history"),
    "history truncated": each(cut_head, "history_edited", "history"),
    "message edited": each(edit_message, "history_edited", "history"),
    "model changed": each(change_model, "model_changed", ""),
    "parameter changed": one_parameter,
    "expired": pauses,
    "evicted": nothing("evicted"),
    "below minimum": nothing("below_minimum"),
}

SETTINGS = {
    "expired": {"ttl": 300.0},
    "evicted": {"num_blocks": 400},
    "below minimum": {"profile": "openai"},
}
"""Arguments of `explain` that a fault needs; the twin of the last two goes without them."""

TOOLS = {"tools shuffled", "tool keys shuffled"}
"""Faults of which logs without tools have nothing."""


@dataclass(frozen=True)
class Case:
    """One log with its faults, and the same log without."""

    names: tuple
    bodies: list
    twin: list
    places: tuple
    settings: dict
    twin_settings: dict


def case(seed, *names, **size):
    """The log of `seed` with these faults, in this order."""
    if "below minimum" in names:
        size = {"num_tenants": 2, "turns": 3, **size}
    shapes = {"num_tenants": 2} if TOOLS & set(names) else {}
    logs = []
    for constant in (False, True):
        log = chats(seed, **{**shapes, **size})
        if "below minimum" in names:
            shorten(log)
        places = tuple(
            FAULTS[name](log, random.Random(f"{seed} {name}"), constant) for name in names
        )
        logs.append([turn.body() for turn in log])
    settings = {}
    for name in names:
        settings |= SETTINGS.get(name, {})
    without = {"num_blocks", "profile"}
    twin_settings = {key: value for key, value in settings.items() if key not in without}
    return Case(names, logs[0], logs[1], places, settings, twin_settings)


def shorten(log):
    """Leave so little of each instruction that no prompt reaches 1,024 tokens by bytes ÷ 4."""
    for turn in log:
        turn.rules, turn.examples, turn.documents = turn.rules[:1], [], []
        turn.tools = turn.tools[:1]


# ---- clean logs: nothing to blame


def plain_chats(seed):
    return [turn.body() for turn in chats(seed)]


def new_topics(seed):
    """Every session is a tenant of its own."""
    log = [turn for number in range(6) for turn in chats(seed * 100 + number, sessions=1)]
    return [turn.body() for turn in log]


def template_questions(seed):
    """Single questions from a few templates, with numbers and names in them."""
    rng = random.Random(seed)
    owner = tenant(0, rng)
    templates = [
        "What is the total of invoice {n} for {name}? Please answer in one sentence.",
        "Ticket {n}: {name} asks when the parcel arrives. Draft a friendly reply of 3 lines.",
        "Convert {n} EUR to USD at the rate of the day and round to 2 digits.",
    ]
    bodies = []
    for index in range(40):
        text = rng.choice(templates).format(n=rng.randint(100, 99_999), name=rng.choice(WORDS))
        turn = Turn(owner, f"q{index}", 0, START + timedelta(seconds=20 * index), [("user", text)])
        turn.head, turn.rules, turn.model = owner.head, owner.rules, owner.model
        turn.settings, turn.tools = json.dumps(owner.settings), owner.tools
        bodies.append(turn.body())
    return bodies


def shared_openings(seed):
    """Documents whose first paragraph is the same licence text, each read in a chat of its own."""
    rng = random.Random(seed)
    owner = tenant(0, rng)
    write = Writer(seed)
    opening = write.prose(6)
    bodies = []
    for index in range(12):
        document = f"{opening}\n\n{write.prose(20)}"
        history = [("user", f"{document}\n\nSummarise the document in five bullet points.")]
        for turns in range(3):
            turn = Turn(owner, f"d{index}", turns, START, list(history))
            turn.head, turn.rules, turn.model = owner.head, owner.rules, owner.model
            turn.settings = json.dumps(owner.settings)
            turn.time = START + timedelta(seconds=100 * index + 20 * turns)
            bodies.append(turn.body())
            history += [("assistant", write.prose(4)), ("user", write.prose(1))]
    return bodies


def retries(seed):
    """Requests sent twice, last questions asked again in other words, chats that branch."""
    rng = random.Random(seed)
    bodies = []
    for turn in chats(seed):
        bodies.append(turn.body())
        if rng.random() < 0.2:
            bodies.append(turn.body())
        elif rng.random() < 0.2:
            other = copy.deepcopy(turn)
            other.history[-1] = ("user", Writer(rng.random()).prose(2))
            bodies.append(other.body())
    return bodies


def tool_results(seed):
    """An agent's loop: results of tools hold clocks and ids, but history never changes."""
    rng = random.Random(seed)
    owner, write = tenant(0, rng), Writer(seed)
    bodies = []
    for run in range(6):
        history = [("user", write.prose(2))]
        for step in range(6):
            turn = Turn(owner, f"a{run}", step, START, list(history))
            turn.head, turn.rules, turn.model = owner.head, owner.rules, owner.model
            turn.settings, turn.tools = json.dumps(owner.settings), owner.tools
            turn.time = START + timedelta(seconds=200 * run + 10 * step)
            bodies.append(turn.body())
            result = {"at": turn.time.isoformat(), "id": hexadecimal(rng), "text": write.prose(2)}
            history += [("assistant", f"Calling {rng.choice(owner.tools)['name']}.")]
            history += [("user", "Result: " + json.dumps(result))]
    return bodies


def tenants_of_one_template(seed):
    """Three tenants whose instructions differ in the tenant's name only."""
    log = [turn for turn in chats(seed, num_tenants=1, sessions=9)]
    for turn in log:
        number = int(turn.session.partition("-")[2]) % 3
        turn.head = f"You are the assistant of {COMPANIES[number]}. Always be polite and brief."
    return [turn.body() for turn in log]


def without_sessions(seed):
    """Plain chats in a log that names neither sessions nor times."""
    return [
        {key: value for key, value in body.items() if key not in ("session", "timestamp")}
        for body in plain_chats(seed)
    ]


CLEAN = {
    "tenants of one template": tenants_of_one_template,
    "without sessions": without_sessions,
    "plain chats": plain_chats,
    "new topics": new_topics,
    "template questions": template_questions,
    "shared openings": shared_openings,
    "retries": retries,
    "tool results": tool_results,
}
