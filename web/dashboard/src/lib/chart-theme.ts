/** The colours and fonts of the page, as charts need them. */
export interface ChartTheme {
  text: string;
  muted: string;
  line: string;
  surface: string;
  font: string;
  palette: string[];
  cool: string;
  warm: string;
}

/** Read from the stylesheet, so that light, dark and a tenant's colours need no second list. */
export function readTheme(): ChartTheme {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string): string => resolve(style.getPropertyValue(name).trim());
  return {
    text: value("--cn-chart-text"),
    muted: value("--cn-chart-muted"),
    line: value("--cn-chart-line"),
    surface: value("--cn-chart-surface"),
    cool: value("--cn-chart-cool"),
    warm: value("--cn-chart-warm"),
    palette: [1, 2, 3, 4, 5, 6].map((number) => value(`--cn-chart-${number}`)),
    font: getComputedStyle(document.body).fontFamily,
  };
}

/** Canvas knows fewer colour notations than CSS; a 2D context turns what it knows into hex or rgba. */
function resolve(colour: string): string {
  const context = document.createElement("canvas").getContext("2d");
  if (!context || !colour) return colour;
  context.fillStyle = colour;
  return context.fillStyle;
}
