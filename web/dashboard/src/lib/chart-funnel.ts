import type { EChartsCoreOption } from "echarts/core";
import { legend, tooltip, type Mark } from "./chart-parts";
import { NARROW, percentOf, type ChartSpec } from "./chart-spec";
import { faded, type ChartTheme } from "./chart-theme";
import { formatLabel, formatValue } from "./format";

const STEP_HEIGHT = 42;
const LOSS_FITS = 96;
/** Pixels that a letter takes, more or less. */
const LETTER = 7;

/** How high a funnel of so many steps has to be. */
export function funnelHeight(spec: ChartSpec): number {
  return Math.max(160, spec.categories.length * STEP_HEIGHT * (spec.series.length > 1 ? 1.25 : 1) + (spec.series.length > 1 ? 40 : 12));
}

/**
 * Steps as bars that lie, the first at the top. What was lost since the step before is a hatched band behind the bar;
 * at the right stand the count, its share of the first step, and how many of the step before came on.
 */
export function funnel(spec: ChartSpec, theme: ChartTheme, width: number): EChartsCoreOption {
  const [now, before] = spec.series;
  const counts = (now?.values ?? []).map((value) => value ?? 0);
  const first = counts[0] ?? 0;
  const narrow = width < NARROW;
  const longestName = Math.max(...spec.categories.map((name) => name.length));
  const names = Math.min(220, Math.round(width * (narrow ? 0.34 : 0.3)), 32 + LETTER * longestName);
  const right = narrow ? 76 : 176;
  const colour = theme.palette[0] ?? theme.text;
  const longest = Math.max(first, ...counts, ...(before?.values.map((value) => value ?? 0) ?? []));
  const inside = width - names - right - 12;

  const lost = counts.map((count, step) => (step ? Math.max(0, (counts[step - 1] ?? 0) - count) : 0));
  const ofFirst = (step: number): string => formatValue(percentOf(counts[step] ?? 0, first), "percent");
  const ofBefore = (step: number): string => formatValue(percentOf(counts[step] ?? 0, counts[step - 1] ?? 0), "percent");
  const atRight = ({ dataIndex }: Mark): string => {
    const count = formatLabel(counts[dataIndex] ?? 0, spec.unit);
    if (narrow) return `{count|${count}}\n{share|${ofFirst(dataIndex)}}`;
    const on = dataIndex ? `{share|${ofFirst(dataIndex)}}{on|↳ ${ofBefore(dataIndex)}}` : `{share|${ofFirst(dataIndex)}}`;
    return `{count|${count}}${on}`;
  };
  const told = (step: number): string => {
    const lines = [`${step + 1}. ${spec.categories[step] ?? ""}`, `${now?.name ?? ""}: ${formatValue(counts[step], spec.unit)}`, `${ofFirst(step)} of the first step`];
    if (step) lines.push(`${ofBefore(step)} of the step before`, `${formatValue(lost[step], spec.unit)} lost since then`);
    if (before) lines.push(`${before.name}: ${formatValue(before.values[step] ?? null, spec.unit)}`);
    return lines.join("\n");
  };
  const rich = {
    count: { color: theme.text, fontWeight: 600, width: narrow ? 60 : 52, align: "left", fontSize: 12, lineHeight: 15 },
    share: { color: theme.muted, width: narrow ? 60 : 48, align: "left", fontSize: 12, lineHeight: 15 },
    on: { color: theme.muted, width: 56, align: "left", fontSize: 12, lineHeight: 15 },
  };
  return {
    grid: { left: names + 8, right, top: before ? 30 : 2, bottom: 2 },
    legend: before ? legend(theme, [now?.name ?? "", before.name]) : undefined,
    tooltip: { ...tooltip(theme), trigger: "axis", axisPointer: { type: "shadow" }, formatter: (marks: Mark[]) => told(marks[0]?.dataIndex ?? 0) },
    xAxis: { type: "value", show: false, max: longest || 1 },
    yAxis: [
      {
        type: "category",
        inverse: true,
        data: spec.categories,
        axisTick: { show: false },
        axisLine: { show: false },
        axisLabel: {
          color: theme.text, interval: 0, width: names, overflow: "truncate", align: "left", margin: names + 4,
          formatter: (name: string, index: number) => `${index + 1}  ${name}`,
        },
      },
      { // The figures stand in a column of their own, wherever the bars end.
        type: "category",
        inverse: true,
        position: "right",
        data: spec.categories,
        axisTick: { show: false },
        axisLine: { show: false },
        axisLabel: { interval: 0, rich, formatter: (_: string, index: number) => atRight({ dataIndex: index } as Mark) },
      },
    ],
    series: [
      {
        type: "bar",
        name: now?.name,
        stack: "now",
        data: counts,
        barMaxWidth: 26,
        barGap: "15%",
        cursor: now?.links ? "pointer" : "default",
        itemStyle: { color: colour, borderRadius: [0, 3, 3, 0] },
      },
      {
        type: "bar",
        name: "Lost",
        stack: "now",
        data: lost.map((value) => ({
          value,
          label: { show: longest > 0 && (value / longest) * inside > LOSS_FITS },
        })),
        barMaxWidth: 26,
        silent: true,
        itemStyle: {
          color: faded(colour, 0.13),
          decal: { symbol: "rect", color: faded(colour, 0.22), dashArrayX: [1, 0], dashArrayY: [1.5, 5], rotation: -Math.PI / 4 },
        },
        label: {
          position: "inside", color: theme.text, fontSize: 11,
          formatter: ({ dataIndex, value }: Mark) =>
            `−${formatLabel(Number(value), spec.unit)} (${formatValue(percentOf(Number(value), counts[dataIndex - 1] ?? 0), "percent")})`,
        },
      },
      ...(before
        ? [{ type: "bar", name: before.name, data: before.values, barMaxWidth: 5, silent: true, itemStyle: { color: theme.muted, borderRadius: [0, 2, 2, 0] } }]
        : []),
    ],
  };
}
