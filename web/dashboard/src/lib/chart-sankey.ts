import type { EChartsCoreOption } from "echarts/core";
import { tooltip, type Mark } from "./chart-parts";
import { NARROW, percentOf, type ChartSpec } from "./chart-spec";
import type { ChartTheme } from "./chart-theme";
import { formatAxis, formatValue } from "./format";

const NODE_HEIGHT = 42;
/** Pixels from which names fit beside the last column. */
const WIDE = 700;

/** Pixels that a column takes at least: on a phone the diagram is pushed sideways. */
const COLUMN_WIDTH = 150;

/** How wide a diagram has to be for its names to be read. */
export function sankeyWidth(spec: ChartSpec): number {
  return COLUMN_WIDTH * (1 + Math.max(0, ...spec.nodes.map(({ column }) => column)));
}

/** How high a diagram has to be for the column with the most nodes. */
export function sankeyHeight(spec: ChartSpec): number {
  const columns = new Map<number, number>();
  spec.nodes.forEach(({ column }) => columns.set(column, (columns.get(column) ?? 0) + 1));
  return Math.max(280, Math.max(0, ...columns.values()) * NODE_HEIGHT + 24);
}

/** Ways from the left to the right. The same value has the same colour in every column. */
export function sankey(spec: ChartSpec, theme: ChartTheme, width: number): EChartsCoreOption {
  const names = [...new Set(spec.nodes.map(({ name }) => name))].filter((name) => name !== "Other");
  const colour = (name: string): string =>
    name === "Other" ? theme.muted : (theme.palette[names.indexOf(name) % theme.palette.length] ?? theme.text);
  const columns = 1 + Math.max(0, ...spec.nodes.map(({ column }) => column));
  const last = columns - 1;
  // Where there is room, the last column has its names at the right like all others, so that none meet.
  const aside = width > WIDE && last > 0;
  const room = Math.max(48, width / columns - (width < NARROW ? 18 : 34));
  const nodeOf = (id: string): ChartSpec["nodes"][number] | undefined => spec.nodes[Number(id)];
  const told = (mark: Mark): string => {
    if (mark.dataType === "edge") {
      const { source, target, value } = mark.data as { source: string; target: string; value: number };
      const [from, to] = [nodeOf(source), nodeOf(target)];
      return `${from?.name ?? ""} → ${to?.name ?? ""}\n${formatValue(value, spec.unit)} (${formatValue(percentOf(value, from?.value ?? 0), "percent")})`;
    }
    const node = nodeOf(mark.name);
    const ended = node?.ended ? `\n${formatValue(node.ended, spec.unit)} went no further (${formatValue(percentOf(node.ended, node.value), "percent")})` : "";
    return `${node?.name ?? ""}: ${formatValue(node?.value, spec.unit)}${ended}`;
  };
  return {
    tooltip: { ...tooltip(theme), trigger: "item", formatter: told },
    series: [
      {
        type: "sankey",
        left: 4, right: aside ? room + 4 : 8, top: 8, bottom: 8,
        nodeAlign: "left",
        nodeGap: 16,
        nodeWidth: 12,
        draggable: false,
        layoutIterations: 32,
        emphasis: { focus: "adjacency" },
        lineStyle: { color: "gradient", opacity: 0.3, curveness: 0.5 },
        label: { color: theme.text, fontSize: width < NARROW ? 10 : 12, width: room, overflow: "truncate", textBorderColor: theme.surface, textBorderWidth: 2 },
        data: spec.nodes.map((node, index) => ({
          name: String(index),
          depth: node.column,
          cursor: node.link ? "pointer" : "default",
          itemStyle: { color: colour(node.name), borderWidth: 0 },
          label: {
            formatter: `${node.name}  ${formatAxis(node.value, spec.unit)}`,
            position: node.column === last && last > 0 && !aside ? "left" : "right",
          },
        })),
        links: spec.flows.map(({ source, target, value, link }) => ({
          source: String(source), target: String(target), value, cursor: link ? "pointer" : "default",
        })),
      },
    ],
  };
}
