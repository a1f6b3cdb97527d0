// Text from a log as it can be shown: what would be invisible, or would change the text around it, becomes visible.
// Pure. A log is untrusted, and a model may emit any character. radixlab/viz/text.py has the same rule.

// Controls, format characters (directions among them), halves of a pair, line separators and noncharacters;
// letters without a shape, and the selectors of variants, in which other text can hide.
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\ufe00-\ufe0d\u{e0100}-\u{e01ef}]/gu;
const BEFORE_JOINER = /[\p{So}\p{Sk}\ufe0f]$/u;
const AFTER_JOINER = /^\p{So}/u;
const JOINER = "\u200d";
const MOST_TEXT = 4000; // characters of one text; what is longer is cut in its middle by whoever draws it

/** Escape what nobody would see; a joiner between two symbols stays, for it makes one picture of two emoji. */
export function plain(text) {
  return text.replace(UNSEEN, (character, at) => (character === JOINER && joins(text, at) ? character : escaped(character)));
}

function joins(text, at) {
  return BEFORE_JOINER.test(text.slice(Math.max(0, at - 2), at)) && AFTER_JOINER.test(text.slice(at + 1, at + 3));
}

/** Write a character as JSON and JavaScript do, by its UTF-16 units. */
function escaped(character) {
  const unit = (half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return character.split("").map(unit).join("");
}

const CONTROLS = /[\u0000-\u001f\u007f]/g;

/** A text on one line of the picture: `plain`, with signs for controls; what is far too long is cut. */
export function shownText(text) {
  const whole = text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT / 2)} … ${text.slice(-MOST_TEXT / 2)}` : text;
  return plain(whole.replace(CONTROLS, signOf));
}

/** A line feed as an arrow; other controls as Unicode's own pictures of them. */
function signOf(char) {
  if (char === "\n") return "↵";
  return char === "\u007f" ? "␡" : String.fromCharCode(0x2400 + char.charCodeAt(0));
}
