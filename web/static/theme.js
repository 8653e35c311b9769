// Runs before the first paint, so that a page never flashes in the wrong theme.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("tunesmith.theme");
  } catch {
    // Storage can be forbidden; the page then follows the system.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
