// Sets the reader's theme before the first picture of the page is drawn.
try {
  const theme = localStorage.getItem("radixlab-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // a browser that keeps nothing for pages from a disk: the system's theme holds
}
