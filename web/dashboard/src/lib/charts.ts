import { BarChart, HeatmapChart, LineChart, PieChart, SankeyChart } from "echarts/charts";
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  LegendScrollComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { categoryAxis, heightFor, linkAt, linkOfCategory, optionFor, widthFor } from "./chart-options";
import type { ChartSpec } from "./chart-spec";
import { readTheme } from "./chart-theme";

use([
  BarChart, LineChart, PieChart, HeatmapChart, SankeyChart, AriaComponent, GridComponent, LegendComponent,
  LegendScrollComponent, MarkLineComponent, TooltipComponent, VisualMapComponent, CanvasRenderer,
]);

/** What redraws each figure that is in the page. */
const drawn = new Map<HTMLElement, Figure>();

interface Figure {
  redraw(): void;
  forget(): void;
}

/** Draws every `[data-chart]` figure below `root`, and keeps it in step with its size and the theme. */
export function drawCharts(root: ParentNode): void {
  for (const [figure, { forget }] of drawn) {
    if (figure.isConnected) continue;
    forget();
    drawn.delete(figure);
  }
  root.querySelectorAll<HTMLElement>("[data-chart]").forEach(draw);
}

new MutationObserver(() => drawn.forEach(({ redraw }) => redraw())).observe(document.documentElement, {
  attributeFilter: ["data-bs-theme"],
});

function draw(figure: HTMLElement): void {
  const source = figure.querySelector("script[type='application/json']");
  const canvas = figure.querySelector<HTMLElement>("[data-chart-canvas]");
  if (!source || !canvas || drawn.has(figure)) return;
  const spec = JSON.parse(source.textContent ?? "{}") as ChartSpec;

  const height = heightFor(spec);
  if (height) canvas.style.flexBasis = canvas.style.minHeight = `${height}px`;
  const wide = widthFor(spec);
  if (wide) canvas.style.minWidth = `${wide}px`;
  switchViews(figure);
  let chart: EChartsType | undefined;
  const redraw = (): void => {
    if (!canvas.clientWidth) return; // The table is shown instead.
    const frame = canvas.parentElement;
    if (wide && frame) frame.tabIndex = frame.scrollWidth > frame.clientWidth ? 0 : -1; // Pushed sideways with the keyboard, too.
    chart ??= begin(canvas, spec);
    chart.resize();
    chart.setOption(optionFor(spec, readTheme(), canvas.clientWidth, canvas.clientHeight), true);
  };
  const sizes = new ResizeObserver(redraw);
  sizes.observe(canvas);
  drawn.set(figure, {
    redraw,
    forget: () => {
      sizes.disconnect();
      chart?.dispose();
    },
  });
}

function begin(canvas: HTMLElement, spec: ChartSpec): EChartsType {
  const chart = init(canvas);
  const follow = (link: string | null): void => {
    if (link) location.assign(link);
  };
  chart.on("click", (event) => follow(linkAt(spec, event as Parameters<typeof linkAt>[1])));
  const axis = categoryAxis(spec);
  if (!axis) return chart;

  // Marks may be thin and points small, so the whole stripe of a category leads where its first mark does.
  const linkBelow = (x: number, y: number): string | null => {
    if (!chart.containPixel({ gridIndex: 0 }, [x, y])) return null;
    const place = chart.convertFromPixel(axis === "x" ? { xAxisIndex: 0 } : { yAxisIndex: 0 }, axis === "x" ? x : y);
    return linkOfCategory(spec, Number(place));
  };
  const lined = spec.kind === "lines" || spec.kind === "area";
  chart.getZr().on("click", ({ offsetX, offsetY, target }) => {
    if (lined || !target) follow(linkBelow(offsetX, offsetY));
  });
  chart.getZr().on("mousemove", ({ offsetX, offsetY }) => {
    if (linkBelow(offsetX, offsetY)) chart.getZr().setCursorStyle("pointer");
  });
  return chart;
}

/** The buttons "Chart" and "Table" of a figure. Without script the table is what is seen. */
function switchViews(figure: HTMLElement): void {
  const buttons = [...figure.querySelectorAll<HTMLButtonElement>("[data-view]")];
  const show = (view: string): void => {
    figure.dataset.shown = view;
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.view === view)));
    chosen.set(figure.id, view);
  };
  buttons.forEach((button) => button.addEventListener("click", () => show(button.dataset.view ?? "chart")));
  show(chosen.get(figure.id) ?? "chart");
}

/** What was chosen for each figure: it stays when the figure is loaded anew. */
const chosen = new Map<string, string>();
