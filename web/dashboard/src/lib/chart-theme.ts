/** The colours and fonts of the page, as charts need them. */
export interface ChartTheme {
  text: string;
  muted: string;
  line: string;
  surface: string;
  target: string;
  font: string;
  palette: string[];
  cool: string;
  warm: string;
}

const COLOURS = 8;

/** Read from the stylesheet, so that light, dark and a tenant's colours need no second list. */
export function readTheme(): ChartTheme {
  const probe = document.body.appendChild(document.createElement("span"));
  const value = (name: string): string => {
    probe.style.color = `var(${name})`;
    return resolve(getComputedStyle(probe).color);
  };
  const theme = {
    text: value("--cn-chart-text"),
    muted: value("--cn-chart-muted"),
    line: value("--cn-chart-line"),
    surface: value("--cn-chart-surface"),
    target: value("--cn-chart-target"),
    cool: value("--cn-chart-cool"),
    warm: value("--cn-chart-warm"),
    palette: Array.from({ length: COLOURS }, (_, number) => value(`--cn-chart-${number + 1}`)),
    font: getComputedStyle(document.body).fontFamily,
  };
  probe.remove();
  return theme;
}

/** Canvas knows fewer colour notations than CSS; a 2D context turns what it knows into hex or rgba. */
function resolve(colour: string): string {
  const context = document.createElement("canvas").getContext("2d");
  if (!context || !colour) return colour;
  context.fillStyle = colour;
  return context.fillStyle;
}

/** `colour` (#rrggbb) with an opacity of 0 to 1. */
export function faded(colour: string, opacity: number): string {
  const [red, green, blue] = channels(colour);
  return `rgba(${red},${green},${blue},${opacity})`;
}

/** A colour between two; 0 is the first. */
export function mixed(first: string, second: string, share: number): string {
  const [from, to] = [channels(first), channels(second)];
  return `rgb(${from.map((value, index) => Math.round(value + ((to[index] ?? 0) - value) * share)).join(",")})`;
}

/** Which of two colours is easier to read on `background`. */
export function readable(background: string, first: string, second: string): string {
  return contrast(background, first) >= contrast(background, second) ? first : second;
}

function contrast(one: string, other: string): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function channels(colour: string): number[] {
  if (colour.startsWith("#")) return [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
  return (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
}
