// A plug-in of JupyterLab: a widget of a saved notebook shows its text until its model is there.
//
// JupyterLab's renderer asks for a widget's model for two seconds. Where there is none by then, and
// widgets have been loaded, it writes "Error displaying widget: model not found" and looks no more.
// It is wrong in two ways. The model may come after its last look and before the two seconds are over.
// And a load that a restart of the kernel breaks off is never made again, so that what the notebook's
// file holds stays unread. The renderer cannot be replaced, so its method is, once for all notebooks.

const VIEW = "application/vnd.jupyter.widget-view+json";
const MANAGER = "@jupyter-widgets/jupyterlab-manager:plugin";
const UNSAVED = "The view of this cell was not saved. Run the cell to see it.";

const loaded = new WeakSet(); // managers for which we have loaded all widgets again

/** Look for a model while widgets are being loaded, and once more after a load of our own. */
async function find(manager, id) {
  for (;;) {
    await manager.get_model(id).catch(() => {}); // gives up after two seconds
    if (manager.has_model(id)) return true;
    if (manager._kernelRestoreInProgress) continue; // its kernel is busy, or still starts
    if (loaded.has(manager)) return false;
    loaded.add(manager);
    await manager.restoreWidgets(manager.context?.model); // from the kernel, then from the file
    if (!manager.restoredStatus) loaded.delete(manager); // broken off as well
  }
}

function showText(node, text) {
  const lines = document.createElement("pre");
  lines.textContent = text;
  node.classList.add("jp-RenderedText");
  node.replaceChildren(lines);
}

/** Replace the method of all renderers of widgets; `renderers` is their prototype. */
function mend(renderers) {
  const { renderModel } = renderers;
  renderers.renderModel = async function (mime) {
    const { model_id: id } = mime.data[VIEW];
    if (id !== "") showText(this.node, mime.data["text/plain"] ?? UNSAVED); // "": its view was closed
    const manager = await this._manager.promise; // comes with the kernel
    if (id === "" || (await find(manager, id))) {
      this.node.classList.remove("jp-RenderedText");
      return renderModel.call(this, mime);
    }
    this._rerenderMimeModel = mime; // it is rendered again after the next load
  };
}

function plugin({ IRenderMimeRegistry }) {
  return {
    id: "radixlab:saved-views",
    autoStart: true,
    requires: [IRenderMimeRegistry],
    async activate(app, rendermime) {
      await app.activatePlugin(MANAGER);
      mend(Object.getPrototypeOf(rendermime.createRenderer(VIEW)));
    },
  };
}

// What a bundler would write: JupyterLab hands over the modules that it shares, and asks for ours.
let shared;
(window._JUPYTERLAB ??= {}).radixlab = {
  init: (scope) => void (shared = scope["@jupyterlab/rendermime"]),
  get: async () => {
    const module = await Object.values(shared)[0].get();
    return () => plugin(module());
  },
};
