export type Unit = "number" | "percent" | "seconds";

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** A value as people read it: 1,234 · 12.3% · 2m 05s. The server writes tables in the same way. */
export function formatValue(value: number, unit: Unit): string {
  if (unit === "percent") return `${plain.format(value)}%`;
  if (unit === "seconds") return formatSeconds(value);
  return plain.format(value);
}

/** As `formatValue`, short enough for an axis. */
export function formatAxis(value: number, unit: Unit): string {
  return unit === "number" ? compact.format(value) : formatValue(value, unit);
}

function formatSeconds(value: number): string {
  const seconds = Math.round(value);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
  return `${Math.floor(seconds / 3600)}h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")}m`;
}
