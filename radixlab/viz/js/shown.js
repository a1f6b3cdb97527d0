// Text from a log as it can be shown: what would be invisible, or would change the text around it, becomes visible.
// Pure. A log is untrusted, and a model may emit any character.

const CONTROLS = /[\u0000-\u001f\u007f]/g;
// Directions that reach beyond a token, line separators, invisible characters (not those that join emoji), tags,
// and halves of a pair: without the flag u the last two ranges are code units.
const NOT_SEEN =
  /[\u0080-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]|\udb40[\udc00-\udc7f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const MOST_TEXT = 4000; // characters of one text; what is longer is cut in its middle by whoever draws it

/** Make control characters, bidirectional controls and lone surrogates visible; cut what is far too long. */
export function shownText(text) {
  const whole = text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT / 2)} … ${text.slice(-MOST_TEXT / 2)}` : text;
  return whole.replace(CONTROLS, picture).replace(NOT_SEEN, escaped);
}

/** A line feed as an arrow; other controls as Unicode's own pictures of them. */
function picture(char) {
  if (char === "\n") return "↵";
  return char === "\u007f" ? "␡" : String.fromCharCode(0x2400 + char.charCodeAt(0));
}

function escaped(char) {
  return `\\u${char.codePointAt(0).toString(16).padStart(4, "0")}`;
}
