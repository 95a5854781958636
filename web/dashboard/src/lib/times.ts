const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** `<time data-ago datetime="…">` says how long ago that was, and keeps saying it right. */
export function localTimes(): void {
  const format = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" });
  const show = (): void =>
    document.querySelectorAll<HTMLTimeElement>("time[data-ago]").forEach((element) => {
      const at = Date.parse(element.dateTime);
      if (!Number.isNaN(at)) element.textContent = ago(format, at);
    });
  show();
  setInterval(show, 30_000);
}

function ago(format: Intl.RelativeTimeFormat, at: number): string {
  const seconds = Math.round((at - Date.now()) / 1000);
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  return format.format(Math.trunc(seconds / size), unit);
}
