import type { Unit } from "./format";

export type Value = number | null;

/** What the server says about a chart; see `chatnation.plugins.dashboard.charts`. */
export interface ChartSpec {
  kind: ChartKind;
  unit: Unit;
  category: string;
  categories: string[];
  series: SeriesSpec[];
  targets: { label: string; value: number }[];
  share: boolean;
  sizes: number[];
  nodes: { name: string; column: number; value: number; ended: number; link: string | null }[];
  flows: { source: number; target: number; value: number; link: string | null }[];
}

export type ChartKind =
  | "bars" | "stacked" | "lines" | "area" | "combined" | "histogram" // along categories
  | "donut" | "ranked" | "heatmap" | "funnel" | "sankey" | "cohort";

export interface SeriesSpec {
  name: string;
  values: Value[];
  links: (string | null)[] | null;
  unit: Unit | null;
  line: boolean;
  previous: boolean;
  of: string | null;
  open: boolean[] | null;
}

/** Pixels below which a figure leaves something out: a phone, or a third of a wide page. */
export const NARROW = 400;

/** The unit of one series. */
export function unitOf(series: SeriesSpec, spec: ChartSpec): Unit {
  return series.unit ?? spec.unit;
}

/** The numbers among some values. */
export function known(values: Value[]): number[] {
  return values.filter((value) => value !== null);
}

export function sum(values: Value[]): number {
  return known(values).reduce((total, value) => total + value, 0);
}

/** `part` of `whole` in percent. */
export function percentOf(part: number, whole: number): number {
  return whole ? (100 * part) / whole : 0;
}
