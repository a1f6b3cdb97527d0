// The express path: a lesson's questions one after the other, each below what the lesson tells before it.

import { make, numberField, choiceButtons, statusLine } from "./fields.js";

/** anywidget's entry: draw the current question into `el`; the function it returns undoes that. */
export function render({ model, el }) {
  const status = statusLine(model);
  const say = (value) => {
    if (!value || model.get("is_answered")) return; // the first guess counts
    status.wait();
    model.set("value", value);
    model.save_changes();
    status.paint();
  };
  const next = make("button", { type: "button", className: "rx-guess-choice rx-express-next", textContent: "Next question" });
  next.addEventListener("click", () => {
    model.set("num_next", model.get("num_next") + 1);
    model.save_changes();
  });
  const head = make("div", { className: "rx-express-head" });
  const text = make("div", { className: "rx-express-text", tabIndex: 0 });
  text.setAttribute("role", "region");
  text.setAttribute("aria-label", "What the lesson tells before the question");
  text.addEventListener("keydown", (event) => event.stopPropagation()); // arrow keys scroll it
  const question = make("div", { className: "rx-guess-question" });
  const answer = make("div", {});
  const report = make("ul", { className: "rx-express-report" });
  const dead = make("div", { className: "rx-guess-dead", textContent: "Run the cell again to go on." });
  const box = make("div", { className: "rx-guess rx-express" }, head, text, question, answer, status.el, next, report, dead);
  el.append(box);

  let field = null;
  const ask = () => {
    head.textContent = model.get("head");
    text.innerHTML = model.get("excerpt"); // made by the kernel, which escapes what is not its own
    text.hidden = !model.get("excerpt");
    question.textContent = model.get("question");
    field = null;
    answer.replaceChildren();
    if (model.get("question")) {
      field = model.get("choices").length ? choiceButtons(model, say) : numberField(model, say);
      answer.append(field.el);
    }
    report.replaceChildren(...model.get("report").map((line) => make("li", { textContent: line })));
    text.scrollTop = text.scrollHeight;
    answered();
  };
  const answered = () => {
    status.stop();
    status.paint();
    field?.paint();
    for (const each of answer.querySelectorAll("input, button")) each.disabled = model.get("is_answered");
    next.hidden = !model.get("is_answered");
  };
  const told = () => {
    answered();
    if (!next.hidden) next.focus(); // the field has given the keyboard to the next cell
  };
  ask();
  requestAnimationFrame(() => (text.scrollTop = text.scrollHeight)); // as soon as it has a height
  model.on("change:number", ask);
  model.on("change:answers", told);
  return () => {
    status.stop();
    model.off("change:number", ask);
    model.off("change:answers", told);
  };
}

export default { render };
