// One axis for two logs: it goes by requests, so that equal requests stand together. Pure arithmetic over positions.

/** The turns of a log, `{key, start, stop}`: from the start of one request to the next; the first one has no request. */
export function turnsOf(events) {
  const seen = new Map();
  const turns = [{ key: "", start: 0 }];
  events.forEach((event, start) => {
    if (event.type !== "SequenceStarted") return;
    const prompt = JSON.stringify([event.namespace, event.token_ids]);
    const again = seen.get(prompt) ?? 0;
    seen.set(prompt, again + 1);
    turns.push({ key: `${again} ${prompt}`, start });
  });
  return turns.map((turn, k) => ({ ...turn, stop: turns[k + 1]?.start ?? events.length }));
}

/**
 * One axis for two logs: `{turns, length}`. A turn has `start` and `length` on the axis, and in each log the events
 * `a` and `b`, `[start, stop]`. Equal requests share a turn, as many as the order of both allows; others stand alone.
 */
export function axisOf(eventsA, eventsB) {
  const [a, b] = [turnsOf(eventsA), turnsOf(eventsB)];
  const turns = [];
  let [i, j, start] = [0, 0, 0];
  const add = (one, two) => {
    const at = { a: one ? [one.start, one.stop] : [a[i]?.start ?? eventsA.length, a[i]?.start ?? eventsA.length] };
    at.b = two ? [two.start, two.stop] : [b[j]?.start ?? eventsB.length, b[j]?.start ?? eventsB.length];
    const length = Math.max(at.a[1] - at.a[0], at.b[1] - at.b[0]);
    turns.push({ ...at, start, length, shared: Boolean(one && two) });
    start += length;
  };
  for (const [nextI, nextJ] of [...pairsOf(a, b), [a.length, b.length]]) {
    for (; i < nextI; i += 1) add(a[i], null);
    for (; j < nextJ; j += 1) add(null, b[j]);
    if (nextI < a.length) add(a[i], b[j]);
    [i, j] = [nextI + 1, nextJ + 1];
  }
  return { turns, length: start };
}

/** The longest list of pairs [i, j] of equal turns in which both numbers rise (patience sorting). */
function pairsOf(a, b) {
  const place = new Map(b.map(({ key }, j) => [key, j]));
  const both = a.flatMap(({ key }, i) => (place.has(key) ? [{ i, j: place.get(key), before: null }] : []));
  const ends = []; // the pair with the smallest j that ends a list of each length
  for (const pair of both) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ends[middle].j < pair.j) low = middle + 1;
      else high = middle;
    }
    pair.before = ends[low - 1] ?? null;
    ends[low] = pair;
  }
  const kept = [];
  for (let pair = ends.at(-1) ?? null; pair; pair = pair.before) kept.push([pair.i, pair.j]);
  return kept.reverse();
}

/** How many of these turns, from the first on, pass a test that holds for a beginning of them. */
function countFirst(turns, holds) {
  let [low, high] = [0, turns.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(turns[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The turn at a position of the axis: the one that its last event is in. */
export function turnAt({ turns }, position) {
  let at = countFirst(turns, ({ start }) => start < position) - 1;
  while (at > 0 && !turns[at].length) at -= 1;
  return turns[Math.max(at, 0)];
}

/** How many events of each log have happened at a position of the axis. */
export function positionsAt(axis, position) {
  const turn = turnAt(axis, position);
  const within = ([start, stop]) => Math.min(start + Math.max(0, position - turn.start), stop);
  return { a: within(turn.a), b: within(turn.b) };
}

/** The position of the axis just after event `at` of log `side` ("a" or "b"). */
export function axisPosition({ turns }, side, at) {
  const turn = turns[countFirst(turns, ({ [side]: [, stop] }) => stop <= at)];
  return turn ? turn.start + at - turn[side][0] + 1 : turns.at(-1).start + turns.at(-1).length;
}
