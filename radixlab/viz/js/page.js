// The page of one offline file: the same view as in a notebook, over a log that lies in the page or is dropped onto it.

import { stateFromJson } from "./cachestate.js";
import { h } from "./dom.js";
import { refuseBySize, readRecording } from "./jsonl.js";
import { render } from "./view.js";

/** What a view needs of a widget's model, where no kernel is behind it. */
function deadModel(recording) {
  const values = { recording, in_sight: false };
  return { get: (name) => values[name], on() {}, off() {}, send() {}, set() {}, save_changes() {} };
}

/** Fill the page: a bar with a file button, a line for what is wrong, and the view. */
export function openPage(recording) {
  const line = h("p", { className: "rx-page-line", aria: { role: "status" } });
  const file = h("input", { type: "file", accept: ".jsonl,.json,.ndjson", aria: { label: "Open a recording" } });
  const label = h("label", { className: "rx-page-open" }, "Open a recording (.jsonl), or drop one here: ", file);
  const el = h("main");
  document.body.append(el, h("div", { className: "rx-page-bar" }, label), line);
  let close = () => {};

  function show(next) {
    close();
    el.replaceChildren();
    close = render({ model: deadModel(next), el });
  }

  async function open(chosen) {
    try {
      refuseBySize(chosen.size);
      const { recording: read, note } = readRecording(await chosen.text());
      stateFromJson(read.keyframe); // what cannot be drawn at all changes nothing
      show({ ...read, title: chosen.name, requests: hasRequests(read), lamp: !isForeign(read), sources: recording?.sources });
      line.textContent = `${chosen.name}: ${note ?? `${read.events.length.toLocaleString("en")} events`}`;
    } catch (error) {
      line.textContent = `${chosen.name}: ${error.message}`;
    }
  }

  file.addEventListener("change", () => file.files.length && open(file.files[0]));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const [dropped] = event.dataTransfer.files;
    if (dropped) open(dropped);
  });
  show(recording);
}

/** Our own events say where they were told; another engine's tree keeps no rules of ours. */
function isForeign(read) {
  return !hasRequests(read) && read.events.length > 0 && !read.events.some((event) => event.site);
}

/** A tree alone has no requests, and its events name none. */
function hasRequests({ keyframe, events }) {
  return Boolean(keyframe.num_requests || keyframe.sequences.length) || events.some((event) => Number.isInteger(event.sequence_id));
}
