/** `number`, `percent`, `seconds`, `score`, or the code of a currency. */
export type Unit = string;

const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const score = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const small = new Intl.NumberFormat("en", { minimumFractionDigits: 4, maximumFractionDigits: 4 });

/** A value as people read it: 1,234 · 12.3% · 2m 05s · 4.35 · USD 12.50. The server writes tables in the same way. */
export function formatValue(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (unit === "number") return plain.format(value);
  if (unit === "percent") return `${plain.format(value)}%`;
  if (unit === "seconds") return formatSeconds(value);
  if (unit === "score") return score.format(value);
  return `${unit} ${(value === 0 || Math.abs(value) >= 1 ? score : small).format(value)}`;
}

/** As `formatValue`, short enough for an axis. */
export function formatAxis(value: number, unit: Unit): string {
  if (unit === "number") return compact.format(value);
  if (unit === "score") return plain.format(value);
  if (unit === "seconds") return formatSeconds(value).replace(/ 0?0[ms h]?$/, "");
  return unit === "percent" ? formatValue(value, unit) : compact.format(value);
}

const EXACT = 100_000;

/** As `formatValue`, for a label beside a mark: what has more than five digits is shortened. */
export function formatLabel(value: number, unit: Unit): string {
  return unit === "number" && Math.abs(value) < EXACT ? formatValue(value, unit) : formatAxis(value, unit);
}

function formatSeconds(value: number): string {
  if (value < 0) return `-${formatSeconds(-value)}`;
  if (value > 0 && value < 0.9995) return `${Math.round(value * 1000)}ms`;
  if (value < 9.95) return `${plain.format(value)}s`;
  const seconds = Math.round(value);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ${two(Math.floor((seconds % 3600) / 60))}m`;
  return `${plain.format(Math.floor(seconds / 86_400))}d ${Math.floor((seconds % 86_400) / 3600)}h`;
}

const two = (value: number): string => String(value).padStart(2, "0");
