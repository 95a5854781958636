// What every page of the dashboard does in the browser.
import "htmx.org/dist/htmx.esm.js";
import { closeMenusOnEscape, mobileMenu, sidebarFolding } from "./lib/menu";
import { copyButtons } from "./lib/copy";
import { dialogs } from "./lib/dialogs";
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

/** The charting library is large, so it is loaded by pages that have a chart. */
if (document.querySelector("[data-chart]")) {
  const { drawCharts } = await import("./lib/charts");
  drawCharts(document);
}
