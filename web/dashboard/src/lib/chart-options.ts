import type { EChartsCoreOption } from "echarts/core";
import { funnel, funnelHeight } from "./chart-funnel";
import { cohort, heatmap } from "./chart-grids";
import { sankey, sankeyHeight, sankeyWidth } from "./chart-sankey";
import { donut, ranked, rankedHeight } from "./chart-shares";
import type { ChartKind, ChartSpec } from "./chart-spec";
import type { ChartTheme } from "./chart-theme";
import { upright } from "./chart-upright";

type Draw = (spec: ChartSpec, theme: ChartTheme, width: number, height: number) => EChartsCoreOption;

const KINDS: Record<ChartKind, Draw> = {
  bars: upright,
  stacked: upright,
  lines: upright,
  area: upright,
  combined: upright,
  histogram: upright,
  donut,
  ranked,
  heatmap,
  funnel,
  sankey,
  cohort,
};

/** The ECharts option of a chart, for a figure of so many pixels. */
export function optionFor(spec: ChartSpec, theme: ChartTheme, width: number, height: number): EChartsCoreOption {
  return {
    animationDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 300,
    color: theme.palette,
    textStyle: { fontFamily: theme.font, color: theme.text },
    // The figure carries its own label, and a table. Patterns are for whoever asks for more contrast.
    aria: { enabled: true, label: { enabled: false }, decal: { show: patterns() } },
    ...KINDS[spec.kind](spec, theme, width, height),
  };
}

function patterns(): boolean {
  return matchMedia("(prefers-contrast: more)").matches;
}

/** Pixels that a chart needs in height, where that depends on how much is in it. */
export function heightFor(spec: ChartSpec): number | null {
  if (spec.kind === "funnel") return funnelHeight(spec);
  if (spec.kind === "sankey") return sankeyHeight(spec);
  if (spec.kind === "cohort") return Math.max(120, 32 * spec.series.length + 32);
  if (spec.kind === "ranked") return rankedHeight(spec);
  return null;
}

/** Pixels that a chart needs in width, where it may not be squeezed into a narrow page. */
export function widthFor(spec: ChartSpec): number | null {
  return spec.kind === "sankey" ? sankeyWidth(spec) : null;
}

/** Where a mark of a chart leads: what was clicked is told by `event`. */
export function linkAt(spec: ChartSpec, event: { seriesName?: string; dataIndex?: number; value?: unknown; dataType?: string }): string | null {
  const index = event.dataIndex ?? 0;
  if (spec.kind === "sankey") return (event.dataType === "edge" ? spec.flows : spec.nodes)[index]?.link ?? null;
  if (spec.kind === "heatmap" || spec.kind === "cohort") {
    const [column, row] = Array.isArray(event.value) ? event.value.map(Number) : [];
    return spec.series[row ?? 0]?.links?.[column ?? 0] ?? null;
  }
  if (spec.kind === "lines" || spec.kind === "area") return null; // Their categories lead somewhere, not their points.
  const series = spec.series.find(({ name }) => name === event.seriesName);
  return series?.links?.[index] ?? linkOfCategory(spec, index);
}

/** Along which axis the categories stand, if they do. */
export function categoryAxis(spec: ChartSpec): "x" | "y" | null {
  if (spec.kind === "ranked" || spec.kind === "funnel") return "y";
  return KINDS[spec.kind] === upright ? "x" : null;
}

/** Where a category leads: where its first series that leads anywhere does. */
export function linkOfCategory(spec: ChartSpec, index: number): string | null {
  const linked = spec.series.find(({ links }) => links?.[index]);
  return linked?.links?.[index] ?? null;
}
