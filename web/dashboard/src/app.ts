// What every page of the dashboard does in the browser.
import "htmx.org/dist/htmx.esm.js";
import { cards } from "./lib/cards";
import { closeMenusOnEscape, mobileMenu, sidebarFolding } from "./lib/menu";
import { copyButtons } from "./lib/copy";
import { dialogs } from "./lib/dialogs";
import { details, liveTails } from "./lib/live-tail";
import { liveRegions } from "./lib/live";
import { localTimes } from "./lib/times";
import { notices } from "./lib/notices";
import { passwordToggles } from "./lib/forms";
import { themeSwitch } from "./lib/theme-switch";

themeSwitch();
sidebarFolding();
mobileMenu();
closeMenusOnEscape();
copyButtons();
dialogs();
notices();
passwordToggles();
localTimes();
liveRegions();
liveTails();
details();
cards();

/** The charting library is large, so it is loaded by pages that have a chart. */
async function charts(root: ParentNode): Promise<void> {
  if (!root.querySelector("[data-chart]")) return;
  const { drawCharts } = await import("./lib/charts");
  drawCharts(root);
}

// What was swapped may itself be gone from the page, so the whole page is looked through.
document.addEventListener("htmx:after:swap", () => void charts(document));
await charts(document);
