import type { EChartsCoreOption } from "echarts/core";
import { colours, hatching, legend, scaleFor, tooltip, type Mark } from "./chart-parts";
import { NARROW, known, percentOf, sum, unitOf, type ChartSpec, type SeriesSpec, type Value } from "./chart-spec";
import { faded, type ChartTheme } from "./chart-theme";
import { formatAxis, formatValue, type Unit } from "./format";

const MANY = 60;
const FEW = 12;

/** Whatever stands on a row of categories: bars, stacked bars, lines, areas, bars with lines, histograms. */
export function upright(spec: ChartSpec, theme: ChartTheme, width: number): EChartsCoreOption {
  const lined = spec.kind === "lines" || spec.kind === "area";
  const several = spec.series.length > 1;
  return {
    grid: { left: 8, right: 12, top: several ? 36 : 14, bottom: 4, containLabel: true },
    legend: several ? legend(theme, spec.series.map(({ name }) => name)) : undefined,
    tooltip: {
      ...tooltip(theme),
      trigger: "axis",
      axisPointer: { type: lined ? "line" : "shadow" },
      formatter: (marks: Mark[]) => told(spec, marks),
    },
    xAxis: {
      type: "category",
      data: spec.categories,
      boundaryGap: !lined,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: theme.line } },
      axisLabel: {
        color: theme.muted, hideOverlap: true, interval: "auto", fontSize: width < NARROW ? 10 : 12,
        ...(spec.kind === "histogram" ? ranges(spec, width) : {}),
      },
    },
    yAxis: axes(spec, theme),
    series: drawn(spec, theme),
  };
}

/** Every range is named, in several lines where it has to be, as long as there are not too many. */
function ranges(spec: ChartSpec, width: number): object {
  const room = (width - 60) / Math.max(1, spec.categories.length);
  return room < 36 ? {} : { interval: 0, hideOverlap: false, width: room - 4, overflow: "break", lineHeight: 13 };
}

/** The axis at the left, and in a combined chart the one at the right. */
function axes(spec: ChartSpec, theme: ChartTheme): object[] {
  const sides = spec.kind === "combined" ? [false, true] : [null];
  return sides.map((line) => {
    const of = line === null ? spec.series : spec.series.filter((series) => series.line === line);
    const unit = spec.share ? "percent" : of[0] ? unitOf(of[0], spec) : spec.unit;
    const highest = spec.share ? 100 : Math.max(0, ...of.flatMap(({ values }) => known(values)));
    const least = Math.min(0, ...of.flatMap(({ values }) => known(values)));
    const most = line ? highest : Math.max(highest, ...spec.targets.map(({ value }) => 1.05 * value));
    const scale = scaleFor(unit, most, least, highest);
    return {
      type: "value",
      position: line ? "right" : "left",
      // Ends that are given, put in line with the ticks at the left, would give ticks such as 14.3%.
      alignTicks: Boolean(line) && !("interval" in scale),
      minInterval: unit === "number" ? 1 : undefined,
      ...(spec.kind === "stacked" && !spec.share ? {} : scale),
      ...(spec.share ? { min: 0, max: 100 } : {}),
      splitLine: { show: !line, lineStyle: { color: theme.line } },
      axisLabel: { color: theme.muted, formatter: (value: number) => formatAxis(value, unit) },
    };
  });
}

function drawn(spec: ChartSpec, theme: ChartTheme): object[] {
  const palette = colours(spec, theme);
  const totals = spec.categories.map((_, index) => sum(spec.series.map(({ values }) => values[index] ?? null)));
  return spec.series.flatMap((series, place) => {
    const colour = palette[place] ?? theme.text;
    const target = place === 0 ? markLine(spec, theme) : undefined;
    const line = spec.kind === "lines" || spec.kind === "area" || series.line;
    if (line) return lines(spec, series, colour, target);
    const values = spec.share
      ? series.values.map((value, index) => (value === null ? null : percentOf(value, totals[index] ?? 0)))
      : series.values;
    return [bars(spec, series, values, colour, theme, target)];
  });
}

function bars(
  spec: ChartSpec, series: SeriesSpec, values: Value[], colour: string, theme: ChartTheme, target: object | undefined,
): object {
  const adjacent = spec.kind === "histogram";
  return {
    type: "bar",
    name: series.name,
    data: values.map((value, index) =>
      series.open?.[index] ? { value, itemStyle: { decal: hatching(theme) } } : value,
    ),
    barMaxWidth: adjacent ? undefined : spec.categories.length > FEW ? 28 : 56,
    barCategoryGap: adjacent ? "4%" : undefined,
    barGap: "10%",
    stack: spec.kind === "stacked" ? "all" : undefined,
    cursor: series.links ? "pointer" : "default",
    itemStyle: {
      color: series.previous ? faded(colour, 0.2) : colour,
      borderRadius: spec.kind === "stacked" ? 0 : [3, 3, 0, 0],
      ...(spec.kind === "stacked" ? { borderColor: theme.surface, borderWidth: 0.5 } : {}),
      ...(series.previous ? { borderColor: faded(colour, 0.8), borderWidth: 1 } : {}),
    },
    markLine: target,
  };
}

/** A line, and what of it may still change as a dashed one of the same name. */
function lines(spec: ChartSpec, series: SeriesSpec, colour: string, target: object | undefined): object[] {
  const few = series.values.length <= MANY;
  const alone = series.values.map(
    (value, index) => value !== null && (series.values[index - 1] ?? null) === null && (series.values[index + 1] ?? null) === null,
  );
  const common = {
    type: "line",
    name: series.name,
    color: colour,
    yAxisIndex: series.line && spec.kind === "combined" ? 1 : 0,
    connectNulls: false,
    symbol: "circle",
    symbolSize: (_: unknown, { dataIndex }: Mark) => (alone[dataIndex] ? 6 : few && !series.previous ? 4 : 0),
    showAllSymbol: true,
    cursor: series.links ? "pointer" : "default",
    emphasis: { focus: "none" },
    z: series.previous ? 2 : series.line ? 4 : 3,
  };
  const firstOpen = series.open ? series.open.findIndex((open) => open) : -1;
  const solid = {
    ...common,
    data: firstOpen < 0 ? series.values : series.values.map((value, index) => (index < firstOpen ? value : null)),
    lineStyle: { width: series.previous ? 1.5 : 2, type: series.previous ? [4, 4] : "solid", opacity: series.previous ? 0.75 : 1 },
    areaStyle: spec.kind === "area" && !series.previous ? { opacity: 0.15 } : undefined,
    markLine: target,
  };
  if (firstOpen < 0) return [solid];
  const open = {
    ...common,
    data: series.values.map((value, index) => (index >= firstOpen - 1 ? value : null)),
    lineStyle: { width: 2, type: [2, 3] },
    areaStyle: spec.kind === "area" ? { opacity: 0.07 } : undefined,
  };
  return [solid, open];
}

function markLine(spec: ChartSpec, theme: ChartTheme): object | undefined {
  if (!spec.targets.length) return undefined;
  return {
    silent: true,
    symbol: "none",
    animation: false,
    lineStyle: { color: theme.target, type: [6, 4], width: 1.5 },
    data: spec.targets.map(({ label, value }) => ({
      yAxis: value,
      label: { formatter: `${label} ${formatValue(value, spec.unit)}`, position: "insideEndTop", color: theme.target, fontSize: 11 },
    })),
  };
}

/** The tooltip of a category: a line a series, with its share of a stack, or its change against the period before. */
function told(spec: ChartSpec, marks: Mark[]): string {
  const index = marks[0]?.dataIndex ?? 0;
  const shown = spec.series.filter((series) => marks.some((mark) => mark.seriesName === series.name));
  const total = sum(shown.map(({ values }) => values[index] ?? null));
  const rows = shown.map((series) => {
    const unit: Unit = unitOf(series, spec);
    const value = series.values[index] ?? null;
    const marker = marks.find((mark) => mark.seriesName === series.name)?.marker ?? "";
    const open = series.open?.[index] && value !== null ? " so far" : "";
    return `${marker}${series.name}: ${formatValue(value, unit)}${aside(spec, series, value, index, total)}${open}`;
  });
  return [`${spec.categories[index] ?? ""}`, ...rows].join("\n");
}

function aside(spec: ChartSpec, series: SeriesSpec, value: Value, index: number, total: number): string {
  if (value === null) return "";
  if (spec.kind === "stacked" && total > 0 && value >= 0) return ` (${formatValue(percentOf(value, total), "percent")})`;
  if (spec.kind === "histogram") return ` (${formatValue(percentOf(value, sum(series.values)), "percent")})`;
  const before = spec.series.find((other) => other.previous && other.of === series.name)?.values[index];
  if (series.previous || !before) return "";
  const change = (100 * (value - before)) / before;
  return ` (${change > 0 ? "+" : ""}${formatValue(change, "percent")})`;
}
