// Decodes the block ids of a recording, as radixlab/observe/codec.py packs them. They come from a file that nobody checked.

const MOST_IDS = 1e7; // a short text can stand for any number of block ids

/** Decode `CompressedIds` (radixlab/observe/codec.py): base64 of a mark, the number of ids, and the code. */
export function blockIds(text) {
  if (Array.isArray(text)) return text;
  const bad = () => new Error("line 1: block ids cannot be decoded");
  let bytes = null;
  try {
    bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    throw bad();
  }
  const [count, ...words] = varints(bytes.subarray(1), bad);
  if (!(count <= MOST_IDS)) throw bad();
  const mark = String.fromCharCode(bytes[0] ?? 0);
  const ids = mark === "D" ? fromDeltas(words) : mark === "I" ? fromIntervals(words, bad) : null;
  if (ids?.length !== count) throw bad();
  return ids;
}

function varints(bytes, bad) {
  const words = [];
  let word = 0;
  let shift = 1;
  for (const byte of bytes) {
    word += (byte & 0x7f) * shift;
    shift *= 128;
    if (byte >= 0x80) continue;
    if (word >= 2 ** 32) throw bad();
    words.push(word);
    word = 0;
    shift = 1;
  }
  if (shift !== 1) throw bad();
  return words;
}

function unzigzag(word) {
  return word % 2 ? -(word + 1) / 2 : word / 2;
}

function fromDeltas(words) {
  let id = 0;
  return words.map((word) => (id = (id + unzigzag(word)) | 0));
}

function fromIntervals(words, bad) {
  const ids = [];
  let end = 0;
  for (let k = 0; k < words.length; k += 2) {
    const first = (end + unzigzag(words[k])) | 0;
    if (!(words[k + 1] > 0 && ids.length + words[k + 1] <= MOST_IDS)) throw bad();
    for (let at = 0; at < words[k + 1]; at += 1) ids.push(first + at);
    end = first + words[k + 1];
  }
  return ids;
}
