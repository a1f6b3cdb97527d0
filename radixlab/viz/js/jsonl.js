// Reads a recording (radixlab/observe/recorder.py): JSON lines, from a file that may be damaged, cut off or foreign.
// What is wrong is told in one line with the number of the line in the file. Bad events are found later, by the timeline.

import { blockIds } from "./blockcodec.js";

const READABLE = [2, 3, 4]; // versions
const MOST_BYTES = 256 * 1024 * 1024;

/** Refuse a file by its size, before it is read. */
export function refuseBySize(bytes) {
  const megabytes = (count) => `${Math.ceil(count / 1024 / 1024).toLocaleString("en")} MB`;
  if (!bytes) throw new Error("this file is empty");
  if (bytes > MOST_BYTES) throw new Error(`this file has ${megabytes(bytes)}: more than ${megabytes(MOST_BYTES)} cannot be shown`);
}

/** Turn the text of a recording into `{recording, note}`; `note` is null, or a line that says what is missing. */
export function readRecording(text) {
  const lines = text.split("\n");
  const isWhole = lines.at(-1).trim() === "";
  while (lines.length && lines.at(-1).trim() === "") lines.pop();
  if (!lines.length) throw new Error("this file is empty");
  const { keyframe, next, count } = readHeader(lines[0]);
  const events = [];
  let due = next;
  for (let k = 1; k < lines.length; k += 1) {
    if (k === lines.length - 1 && !isWhole && !lines[k].includes("}")) return cutOff(keyframe, events, k);
    const event = readEvent(lines[k], k + 1, due);
    due = event.seq + 1;
    events.push(event);
  }
  if (count !== null && count !== events.length) {
    throw new Error(`line ${lines.length}: the file ends after ${events.length} of ${count} events`);
  }
  const note = count === null ? `this recording was not closed: it ends after ${events.length} events` : null;
  return { recording: { keyframe, from: 0, events }, note };
}

function cutOff(keyframe, events, k) {
  return { recording: { keyframe, from: 0, events }, note: `line ${k + 1} is cut off: the ${events.length} events before it are shown` };
}

function readHeader(line) {
  const header = parseLine(line, 1);
  if (header.type !== "Recording") throw new Error("line 1: this is not a recording of radixlab");
  const version = JSON.stringify(header.version ?? null).slice(0, 40);
  if (!READABLE.includes(header.version)) throw new Error(`line 1: version ${version}; this player reads ${READABLE.join(", ")}`);
  checkSeal(line.replace(/("version":\d+,)"num_events":(?:\d+|null) *,/, "$1"), header.crc, 1);
  const { next_seq: next = null, num_events: count = null } = header;
  for (const number of [next, count]) {
    if (number !== null && !(Number.isInteger(number) && number >= 0)) throw new Error("line 1: num_events or next_seq is not a count");
  }
  const keyframe = header.state;
  for (const part of ["nodes", "sequences"]) {
    if (!Array.isArray(keyframe?.[part])) throw new Error(`line 1: the state has no list of ${part}`);
  }
  for (const node of keyframe.nodes) node.block_ids = blockIds(node?.block_ids);
  for (const sequence of keyframe.sequences) sequence.block_table = blockIds(sequence?.block_table);
  return { keyframe, next, count };
}

function readEvent(line, number, due) {
  const event = parseLine(line, number);
  if (event.type === "Recording") throw new Error(`line ${number}: a second header`);
  if (!Number.isInteger(event.seq)) throw new Error(`line ${number}: this is not an event`);
  checkSeal(line, event.crc, number);
  const mayJump = event.type === "CacheRestarted" && event.seq > due;
  if (due !== null && event.seq !== due && !mayJump) throw new Error(`line ${number}: event ${event.seq}, where ${due} should follow`);
  delete event.crc;
  return event;
}

function parseLine(line, number) {
  let value = null;
  try {
    value = JSON.parse(line);
  } catch {
    throw new Error(`line ${number}: this is not a JSON object`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error(`line ${number}: this is not a JSON object`);
  return value;
}

/** A sealed line ends with a checksum of all that stands before it. */
function checkSeal(line, seal, number) {
  if (seal === undefined) return;
  const body = line.replace(/,"crc":\d+\}\s*$/, "}");
  if (crc32(new TextEncoder().encode(body)) !== seal) throw new Error(`line ${number}: this line was changed: it does not match its checksum`);
}

let crcTable = null;

/** The checksum of zlib and PNG. */
export function crc32(bytes) {
  crcTable ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c;
  });
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
