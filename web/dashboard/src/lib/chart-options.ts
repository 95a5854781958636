import type { EChartsCoreOption } from "echarts/core";
import type { ChartTheme } from "./chart-theme";
import { formatAxis, formatValue, type Unit } from "./format";

/** What the server says about a chart; see `chatnation.plugins.dashboard.charts`. */
export interface ChartSpec {
  kind: "bars" | "stacked" | "lines" | "donut" | "ranked" | "heatmap";
  unit: Unit;
  categories: string[];
  series: { name: string; values: number[]; links: string[] | null }[];
}

const NARROW = 480;

/** The ECharts option of a chart, for a figure that is `width` pixels wide. */
export function optionFor(spec: ChartSpec, theme: ChartTheme, width: number): EChartsCoreOption {
  const base: EChartsCoreOption = {
    animationDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 300,
    color: theme.palette,
    textStyle: { fontFamily: theme.font, color: theme.text },
    aria: { enabled: false }, // The figure carries its own label, and a table.
  };
  const kinds = { bars: upright, stacked: upright, lines: upright, donut, ranked, heatmap };
  return { ...base, ...kinds[spec.kind](spec, theme, width) };
}

/** Drawn on the canvas: an HTML tooltip would need inline styles, which the page's policy forbids. */
function tooltip(theme: ChartTheme): object {
  return {
    renderMode: "richText",
    confine: true,
    backgroundColor: theme.surface,
    borderColor: theme.line,
    textStyle: { color: theme.text, fontSize: 12 },
  };
}

function upright(spec: ChartSpec, theme: ChartTheme, width: number): EChartsCoreOption {
  const line = spec.kind === "lines";
  const several = spec.series.length > 1;
  return {
    grid: { left: 8, right: 12, top: several ? 36 : 12, bottom: 4, containLabel: true },
    legend: several ? { top: 0, textStyle: { color: theme.muted } } : undefined,
    tooltip: {
      ...tooltip(theme),
      trigger: "axis",
      axisPointer: { type: line ? "line" : "shadow" },
      valueFormatter: (value: number) => formatValue(value, spec.unit),
    },
    xAxis: {
      type: "category",
      data: spec.categories,
      boundaryGap: !line,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: theme.line } },
      axisLabel: { color: theme.muted, hideOverlap: true, interval: "auto", fontSize: width < NARROW ? 10 : 12 },
    },
    yAxis: {
      type: "value",
      minInterval: spec.unit === "number" ? 1 : undefined,
      splitLine: { lineStyle: { color: theme.line } },
      axisLabel: { color: theme.muted, formatter: (value: number) => formatAxis(value, spec.unit) },
    },
    series: spec.series.map(({ name, values, links }) => ({
      type: line ? "line" : "bar",
      name,
      data: values,
      smooth: false,
      symbolSize: 5,
      barMaxWidth: 28,
      stack: spec.kind === "stacked" ? "all" : undefined,
      cursor: links ? "pointer" : "default",
      itemStyle: spec.kind === "bars" ? { borderRadius: [3, 3, 0, 0] } : {},
    })),
  };
}

function donut(spec: ChartSpec, theme: ChartTheme, width: number): EChartsCoreOption {
  const [first] = spec.series;
  const total = first?.values.reduce((sum, value) => sum + value, 0) ?? 0;
  const share = (value: number): string => (total ? `${formatValue((100 * value) / total, "percent")}` : "0%");
  const values = new Map(spec.categories.map((name, index) => [name, first?.values[index] ?? 0]));
  return {
    tooltip: {
      ...tooltip(theme),
      trigger: "item",
      formatter: ({ name, value }: { name: string; value: number }) =>
        `${name}: ${formatValue(value, spec.unit)} (${share(value)})`,
    },
    legend: {
      orient: width < NARROW ? "horizontal" : "vertical",
      ...(width < NARROW ? { bottom: 0, left: "center" } : { right: 0, top: "middle" }),
      icon: "circle",
      textStyle: { color: theme.text },
      formatter: (name: string) => `${name}  ${share(values.get(name) ?? 0)}`,
    },
    series: [
      {
        type: "pie",
        name: first?.name,
        radius: ["52%", "78%"],
        center: width < NARROW ? ["50%", "42%"] : ["34%", "50%"],
        label: { show: false },
        cursor: first?.links ? "pointer" : "default",
        itemStyle: { borderColor: theme.surface, borderWidth: 2 },
        data: spec.categories.map((name, index) => ({ name, value: first?.values[index] ?? 0 })),
      },
    ],
  };
}

function ranked(spec: ChartSpec, theme: ChartTheme, width: number): EChartsCoreOption {
  const [first] = spec.series;
  return {
    grid: { left: 4, right: 56, top: 4, bottom: 4, containLabel: true },
    tooltip: { ...tooltip(theme), trigger: "item", valueFormatter: (value: number) => formatValue(value, spec.unit) },
    xAxis: { type: "value", show: false },
    yAxis: {
      type: "category",
      inverse: true,
      data: spec.categories,
      axisTick: { show: false },
      axisLine: { show: false },
      axisLabel: { color: theme.text, width: Math.max(80, width * 0.35), overflow: "truncate" },
    },
    series: [
      {
        type: "bar",
        name: first?.name,
        data: first?.values ?? [],
        barMaxWidth: 18,
        cursor: first?.links ? "pointer" : "default",
        itemStyle: { borderRadius: [0, 3, 3, 0] },
        label: {
          show: true,
          position: "right",
          color: theme.muted,
          formatter: ({ value }: { value: number }) => formatAxis(value, spec.unit),
        },
      },
    ],
  };
}

function heatmap(spec: ChartSpec, theme: ChartTheme, width: number): EChartsCoreOption {
  const cells = spec.series.flatMap(({ values }, row) => values.map((value, column) => [column, row, value]));
  const most = Math.max(1, ...cells.map(([, , value]) => value ?? 0));
  return {
    grid: { left: 4, right: 8, top: 4, bottom: 44, containLabel: true },
    tooltip: {
      ...tooltip(theme),
      formatter: ({ value: [column, row, value] }: { value: [number, number, number] }) =>
        `${spec.series[row]?.name ?? ""} ${spec.categories[column] ?? ""}: ${formatValue(value, spec.unit)}`,
    },
    xAxis: {
      type: "category",
      data: spec.categories,
      axisTick: { show: false },
      axisLine: { show: false },
      axisLabel: { color: theme.muted, interval: width < NARROW ? 5 : 1, fontSize: 11 },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: spec.series.map(({ name }) => (width < NARROW ? name.slice(0, 3) : name)),
      axisTick: { show: false },
      axisLine: { show: false },
      axisLabel: { color: theme.muted },
    },
    visualMap: {
      min: 0,
      max: most,
      orient: "horizontal",
      left: "center",
      bottom: 0,
      itemHeight: Math.min(180, width / 2),
      itemWidth: 12,
      text: [formatAxis(most, spec.unit), "0"],
      textStyle: { color: theme.muted },
      inRange: { color: [theme.cool, theme.warm] },
    },
    series: [
      {
        type: "heatmap",
        data: cells,
        cursor: spec.series[0]?.links ? "pointer" : "default",
        itemStyle: { borderColor: theme.surface, borderWidth: 2, borderRadius: 3 },
        emphasis: { itemStyle: { borderColor: theme.text, borderWidth: 1 } },
      },
    ],
  };
}
