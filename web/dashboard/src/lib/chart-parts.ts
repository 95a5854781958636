import type { ChartSpec, SeriesSpec } from "./chart-spec";
import { faded, type ChartTheme } from "./chart-theme";
import type { Unit } from "./format";

/** What ECharts tells a formatter about one mark. */
export interface Mark {
  seriesName: string;
  seriesIndex: number;
  dataIndex: number;
  marker: string;
  name: string;
  value: unknown;
  data: unknown;
  dataType?: string;
}

/** Drawn on the canvas: an HTML tooltip would need inline styles, which the page's policy forbids. */
export function tooltip(theme: ChartTheme): object {
  return {
    renderMode: "richText",
    confine: true,
    backgroundColor: theme.surface,
    borderColor: theme.line,
    textStyle: { color: theme.text, fontSize: 12 },
  };
}

export function legend(theme: ChartTheme, names: string[]): object {
  return { type: "scroll", top: 0, data: names, textStyle: { color: theme.muted }, pageTextStyle: { color: theme.muted },
    pageIconColor: theme.muted, pageIconInactiveColor: theme.line, itemWidth: 16, itemHeight: 10 };
}

/** Stripes over a bar or a cell whose value may still change. */
export function hatching(theme: ChartTheme): object {
  return { symbol: "rect", color: faded(theme.surface, 0.6), dashArrayX: [1, 0], dashArrayY: [3, 4], rotation: -Math.PI / 4 };
}

/** Each series' colour; the period before has that of the series it belongs to. */
export function colours(spec: ChartSpec, theme: ChartTheme): string[] {
  const own = spec.series.filter((series) => !series.previous);
  const place = (series: SeriesSpec): number =>
    own.findIndex((other) => (series.previous ? other.name === series.of : other === series));
  return spec.series.map((series) => theme.palette[Math.max(0, place(series)) % theme.palette.length] ?? theme.text);
}

const NICE_SECONDS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800,
  604_800,
];
const MOST_TICKS = 5;

/** Ends and steps of an axis, where the library's own choice would read badly; `most` includes targets. */
export function scaleFor(unit: Unit, most: number, least: number, highest: number): object {
  if (unit === "seconds" && most > 0) {
    const step = NICE_SECONDS.find((seconds) => most / seconds <= MOST_TICKS) ?? 604_800 * Math.ceil(most / 604_800 / MOST_TICKS);
    return { interval: step, min: 0, max: step * Math.max(1, Math.ceil(most / step)) };
  }
  if (unit === "score" && most <= 5 && least >= 0) return { min: 0, max: 5, interval: 1 };
  if (unit === "percent" && most > 60 && most <= 100 && least >= 0) return { min: 0, max: 100, interval: 20 };
  return most > highest ? { max: most } : {};
}
