import type { EChartsCoreOption } from "echarts/core";
import { tooltip, type Mark } from "./chart-parts";
import { NARROW, percentOf, sum, type ChartSpec } from "./chart-spec";
import type { ChartTheme } from "./chart-theme";
import { formatLabel, formatValue } from "./format";

/** Parts of a whole as a ring. */
export function donut(spec: ChartSpec, theme: ChartTheme, width: number): EChartsCoreOption {
  const [first] = spec.series;
  const total = sum(first?.values ?? []);
  const narrow = width < NARROW;
  const share = (value: number): string => formatValue(percentOf(value, total), "percent");
  const values = new Map(spec.categories.map((name, index) => [name, first?.values[index] ?? 0]));
  return {
    tooltip: {
      ...tooltip(theme),
      trigger: "item",
      formatter: ({ name, value, marker }: Mark) =>
        `${marker}${name}: ${formatValue(Number(value), spec.unit)} (${share(Number(value))})`,
    },
    legend: {
      type: narrow ? "plain" : "scroll",
      orient: narrow ? "horizontal" : "vertical",
      ...(narrow ? { bottom: 0, left: "center" } : { right: 0, top: "middle" }),
      icon: "circle",
      textStyle: { color: theme.text },
      pageTextStyle: { color: theme.muted },
      formatter: (name: string) => `${name}  ${share(values.get(name) ?? 0)}`,
    },
    series: [
      {
        type: "pie",
        name: first?.name,
        radius: narrow ? ["42%", "64%"] : ["52%", "78%"],
        center: narrow ? ["50%", "34%"] : ["34%", "50%"],
        label: { show: false },
        cursor: first?.links ? "pointer" : "default",
        itemStyle: { borderColor: theme.surface, borderWidth: 2 },
        data: spec.categories.map((name, index) => ({ name, value: first?.values[index] ?? 0 })),
      },
    ],
  };
}

/** Pixels that a bar and the room around it take at most: few bars stand together at the top. */
const ROW = 48;
const LEAST_ROW = 27;
const USUAL = 272;

/** How high a ranking of so many has to be; few take less than other charts do. */
export function rankedHeight(spec: ChartSpec): number {
  const rows = spec.categories.length;
  return Math.max(LEAST_ROW * rows, Math.min(USUAL, ROW * rows + 8));
}

/** The first series as bars that lie, the greatest at the top. */
export function ranked(spec: ChartSpec, theme: ChartTheme, width: number, height: number): EChartsCoreOption {
  const [first] = spec.series;
  const total = sum(first?.values ?? []);
  const counted = spec.unit === "number";
  return {
    grid: { left: 4, right: 64, top: 4, bottom: Math.max(4, height - 4 - ROW * spec.categories.length), containLabel: true },
    tooltip: {
      ...tooltip(theme),
      trigger: "item",
      formatter: ({ name, value, marker }: Mark) => {
        const share = counted ? ` (${formatValue(percentOf(Number(value), total), "percent")})` : "";
        return `${name}\n${marker}${first?.name ?? ""}: ${formatValue(Number(value), spec.unit)}${share}`;
      },
    },
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
          formatter: ({ value }: Mark) => formatLabel(Number(value), spec.unit),
        },
      },
    ],
  };
}
