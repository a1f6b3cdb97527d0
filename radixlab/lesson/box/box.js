// The box of one guess in a lesson.

import { make, numberField, choiceButtons, statusLine } from "./fields.js";

/** anywidget's entry: draw the question into `el`; the function it returns undoes that. */
export function render({ model, el }) {
  const status = statusLine(model);
  const say = (value) => {
    if (value === model.get("value")) return;
    status.wait();
    model.set("value", value);
    model.save_changes();
    paint();
  };
  const answered = () => {
    status.stop();
    paint();
  };
  const field = model.get("choices").length ? choiceButtons(model, say) : numberField(model, say);
  const paint = () => {
    field.paint();
    status.paint();
  };
  const dead = make("div", {
    className: "rx-guess-dead",
    textContent: "Your guess as it was. Run the cell again to change it.",
  });
  el.append(
    make(
      "div",
      { className: "rx-guess" },
      make("div", { className: "rx-guess-question", textContent: model.get("question") }),
      field.el,
      status.el,
      dead,
    ),
  );
  paint();
  model.on("change:value", paint);
  model.on("change:answers", answered);
  return () => {
    status.stop();
    model.off("change:value", paint);
    model.off("change:answers", answered);
  };
}

export default { render };
