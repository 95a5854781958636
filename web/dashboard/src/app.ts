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
async function charts(root: ParentNode): Promise<void> {
  if (!root.querySelector("[data-chart]")) return;
  const { drawCharts } = await import("./lib/charts");
  drawCharts(root);
}

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = (event as CustomEvent<{ ctx: { target: HTMLElement } }>).detail;
  void charts(ctx.target);
});
await charts(document);
