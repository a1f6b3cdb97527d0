// The page of one offline file with two runs: the same view as in a notebook.

import { h } from "./dom.js";
import { showPair } from "./pair.js";

/** Fill the page with two runs, `{title, a, b}`. */
export function openPage(pair) {
  const el = h("main");
  document.body.append(el);
  showPair(pair, el);
}
