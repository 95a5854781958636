import { BarChart, HeatmapChart, LineChart, PieChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import { init, use, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { optionFor, type ChartSpec } from "./chart-options";
import { readTheme } from "./chart-theme";

use([BarChart, LineChart, PieChart, HeatmapChart, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent, CanvasRenderer]);

/** Draws every `[data-chart]` figure below `root`, and keeps it in step with its size and the theme. */
export function drawCharts(root: ParentNode): void {
  root.querySelectorAll<HTMLElement>("[data-chart]").forEach(draw);
}

function draw(figure: HTMLElement): void {
  const source = figure.querySelector("script[type='application/json']");
  const canvas = figure.querySelector<HTMLElement>("[data-chart-canvas]");
  if (!source || !canvas || figure.dataset.shown) return;
  const spec = JSON.parse(source.textContent ?? "{}") as ChartSpec;

  switchViews(figure);
  let chart: EChartsType | undefined;
  const redraw = (): void => {
    if (!canvas.clientWidth) return; // The table is shown instead.
    chart ??= begin(canvas, spec);
    chart.resize();
    chart.setOption(optionFor(spec, readTheme(), canvas.clientWidth), true);
  };
  new ResizeObserver(redraw).observe(canvas);
  new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
}

function begin(canvas: HTMLElement, spec: ChartSpec): EChartsType {
  const chart = init(canvas);
  chart.on("click", (event) => {
    const series = spec.series[spec.kind === "heatmap" ? cell(event.value)[1] : (event.seriesIndex ?? 0)];
    const link = series?.links?.[spec.kind === "heatmap" ? cell(event.value)[0] : (event.dataIndex ?? 0)];
    if (link) location.assign(link);
  });
  return chart;
}

/** A heatmap's mark is [column, row, value]. */
function cell(value: unknown): [number, number] {
  return Array.isArray(value) ? [Number(value[0]), Number(value[1])] : [0, 0];
}

/** The buttons "Chart" and "Table" of a figure. Without script the table is what is seen. */
function switchViews(figure: HTMLElement): void {
  const buttons = [...figure.querySelectorAll<HTMLButtonElement>("[data-view]")];
  const show = (view: string): void => {
    figure.dataset.shown = view;
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.view === view)));
  };
  buttons.forEach((button) => button.addEventListener("click", () => show(button.dataset.view ?? "chart")));
  show("chart");
}
