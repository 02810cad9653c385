// The theme that was chosen, before the first paint: the page must not flash in the other one.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('mirage.theme');
  } catch {
    // Storage is refused: the system's theme it is.
  }
  var isDark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
})();
