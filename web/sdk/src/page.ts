/** The address that a single-page application came from; "" on its first page. */
let previous = "";
let shown = typeof location === "undefined" ? "" : location.href;

/** A hash that names a page (#/file, #!file), as opposed to a place in the page. */
const route = () => (/^#[/!]/.test(location.hash) ? location.hash : "");

const address = () => location.pathname + location.search + route();

export const pageContext = () => ({
  path: location.pathname + route().split("?")[0],
  url: location.href,
  title: document.title,
  referrer: previous || document.referrer,
  search: location.search,
});

/** Calls back, after the router is done, whenever the address names another page. */
export function watchAddress(changed: () => void) {
  let last = address();

  const look = () =>
    setTimeout(() => {
      const now = address();
      if (now === last) return;
      last = now;
      previous = shown;
      shown = location.href;
      changed();
    });

  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (...args) {
      original.apply(this, args);
      look();
    };
  }
  addEventListener("popstate", look);
  addEventListener("hashchange", look);
}
