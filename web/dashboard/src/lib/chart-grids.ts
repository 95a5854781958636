import type { EChartsCoreOption } from "echarts/core";
import { hatching, tooltip, type Mark } from "./chart-parts";
import { NARROW, known, type ChartSpec, type Value } from "./chart-spec";
import { mixed, readable, type ChartTheme } from "./chart-theme";
import { formatAxis, formatValue } from "./format";

type Cell = [column: number, row: number, value: number | null];

/** Categories across, a series a row; the more, the stronger the colour. */
export function heatmap(spec: ChartSpec, theme: ChartTheme, width: number): EChartsCoreOption {
  const most = Math.max(...spec.series.flatMap(({ values }) => known(values)), spec.unit === "number" ? 1 : 0.001);
  const narrow = width < NARROW;
  return {
    grid: { left: 4, right: 8, top: 4, bottom: 44, containLabel: true },
    tooltip: {
      ...tooltip(theme),
      formatter: ({ value }: Mark) => {
        const [column, row, amount] = value as Cell;
        return `${spec.series[row]?.name ?? ""} ${spec.categories[column] ?? ""}: ${formatValue(amount, spec.unit)}`;
      },
    },
    xAxis: { ...sides(theme), data: spec.categories, axisLabel: { color: theme.muted, interval: width > 700 ? 1 : width > 300 ? 3 : 5, fontSize: 11 } },
    yAxis: {
      ...sides(theme),
      inverse: true,
      data: spec.series.map(({ name }) => (narrow ? name.slice(0, 3) : name)),
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
        data: cellsOf(spec),
        cursor: spec.series[0]?.links ? "pointer" : "default",
        itemStyle: { borderColor: theme.surface, borderWidth: 2, borderRadius: 3 },
        emphasis: { itemStyle: { borderColor: theme.text, borderWidth: 1 } },
      },
    ],
  };
}

const TEXT_FITS = 30;
const UNIT_FITS = 56;

/** A row a cohort, a column a period after it: the share who were back. Hatched where the period is not over. */
export function cohort(spec: ChartSpec, theme: ChartTheme, width: number): EChartsCoreOption {
  const most = Math.max(1, ...spec.series.flatMap(({ values }) => known(values)));
  const labels = width < NARROW ? 80 : 150;
  // Periods that no cohort has come to yet would only take room.
  const periods = spec.categories.slice(0, 1 + Math.max(0, ...spec.series.map(({ values }) => lastKnown(values))));
  const unit = /\((\w+)\)$/.exec(spec.category)?.[1] ?? "";
  const fits = (width - labels) / Math.max(1, periods.length) >= TEXT_FITS;
  return {
    grid: { left: labels, right: 4, top: 24, bottom: 4 },
    tooltip: {
      ...tooltip(theme),
      formatter: ({ value }: Mark) => {
        const [column, row, share] = value as Cell;
        const open = spec.series[row]?.open?.[column] ? ", so far" : "";
        const people = Math.round(((share ?? 0) * (spec.sizes[row] ?? 0)) / 100).toLocaleString("en");
        return `${spec.series[row]?.name ?? ""} · ${spec.categories[column] ?? ""}\n${formatValue(share, spec.unit)}, about ${people} of ${(spec.sizes[row] ?? 0).toLocaleString("en")}${open}`;
      },
    },
    xAxis: {
      ...sides(theme), position: "top", data: periods,
      axisLabel: {
        color: theme.muted, fontSize: 11, hideOverlap: true, interval: "auto",
        formatter: (name: string) => ((width - labels) / periods.length < UNIT_FITS ? name : `${unit} ${name}`),
      },
    },
    yAxis: {
      ...sides(theme),
      inverse: true,
      data: spec.series.map(({ name }) => name),
      axisLabel: {
        color: theme.text, interval: 0, fontSize: width < NARROW ? 10 : 11, width: labels - 8, overflow: "truncate",
        formatter: (name: string, index: number) =>
          width < NARROW ? name : `${name}  (${formatAxis(spec.sizes[index] ?? 0, "number")})`,
      },
    },
    visualMap: { show: false, min: 0, max: most, inRange: { color: [theme.cool, theme.warm] } },
    series: [
      {
        type: "heatmap",
        data: cellsOf(spec).map((value) => {
          const background = mixed(theme.cool, theme.warm, (value[2] ?? 0) / most);
          const open = spec.series[value[1]]?.open?.[value[0]] ?? false;
          return {
            value,
            label: { color: readable(background, "#ffffff", "#111827") },
            itemStyle: open ? { decal: hatching(theme), borderColor: theme.muted, borderWidth: 1, borderType: "dashed" } : {},
          };
        }),
        label: { show: fits, fontSize: width < NARROW ? 10 : 11, formatter: ({ value }: Mark) => `${Math.round((value as Cell)[2] ?? 0)}%` },
        cursor: spec.series.some(({ links }) => links) ? "pointer" : "default",
        itemStyle: { borderColor: theme.surface, borderWidth: 2, borderRadius: 3 },
        emphasis: { itemStyle: { borderColor: theme.text, borderWidth: 1 } },
      },
    ],
  };
}

function lastKnown(values: Value[]): number {
  return values.reduce<number>((last, value, index) => (value === null ? last : index), 0);
}

function sides(theme: ChartTheme): object {
  return { type: "category", axisTick: { show: false }, axisLine: { show: false }, axisLabel: { color: theme.muted } };
}

function cellsOf(spec: ChartSpec): Cell[] {
  return spec.series.flatMap(({ values }, row) =>
    values.flatMap((value, column): Cell[] => (value === null ? [] : [[column, row, value]])),
  );
}
