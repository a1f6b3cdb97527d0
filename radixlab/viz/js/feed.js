// The log of a cache is one model, its feed, which all views of the cache share: its texts are sent and parsed once.

const parsedTexts = new WeakMap(); // feed → name → {text, value}

/** The value of a text that a feed sent; each view of the feed gets the same object. */
function parsed(feed, name, text) {
  if (typeof text !== "string") return text;
  if (!parsedTexts.has(feed)) parsedTexts.set(feed, new Map());
  const known = parsedTexts.get(feed);
  if (known.get(name)?.text !== text) known.set(name, { text, value: text ? JSON.parse(text) : null });
  return known.get(name).value;
}

/** A view's model together with its feed: the recording and the messages are the feed's, all else is the view's. */
class FedModel {
  constructor(model, feed) {
    this.model = model;
    this.feed = feed;
    this.listeners = new Map();
  }

  get(name) {
    if (name !== "recording") return this.model.get(name);
    const { model, feed } = this;
    const keyframe = parsed(feed, "keyframe", feed.get("keyframe"));
    return { ...parsed(feed, name, feed.get(name)), keyframe, title: model.get("title") };
  }

  set(name, value) {
    this.model.set(name, value);
  }

  save_changes() {
    this.model.save_changes();
  }

  send(message) {
    this.feed.send(message);
  }

  on(name, listener) {
    const ofFeed = name === "change:recording" || name === "msg:custom";
    if (!ofFeed) return this.model.on(name, listener);
    const heard = name === "msg:custom" ? (text) => listener(parsed(this.feed, name, text)) : () => listener();
    this.listeners.set(listener, heard);
    this.feed.on(name, heard);
  }

  off(name, listener) {
    const heard = this.listeners.get(listener);
    if (heard) this.feed.off(name, heard);
    else this.model.off(name, listener);
  }
}

/** The model with its feed, as a promise; the model itself where it has its own recording, as in a file. */
export function withFeed(model) {
  const name = model.get("feed");
  if (!name) return model;
  return model.widget_manager.get_model(name.replace("IPY_MODEL_", "")).then((feed) => new FedModel(model, feed));
}
