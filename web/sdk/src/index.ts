import type { Tracker } from "./sdk";
import { createTracker } from "./tracker";

/** A call that the loader snippet kept: method, arguments, Unix milliseconds. */
type KeptCall = [name: keyof Tracker, args: ArrayLike<unknown>, at: number];

function load(): Tracker {
  if (typeof window === "undefined") return createTracker("").tracker;
  const present = window.chatnation as Tracker | KeptCall[] | undefined;
  if (present && "version" in present) return present;

  const script = document.currentScript as HTMLScriptElement | null;
  const { tracker, replay } = createTracker(new URL("v1/capture", (script && script.src) || location.origin).href);
  window.chatnation = tracker;
  for (const [name, args, at] of present || []) replay(name, Array.from(args), at);

  // <script src="/sdk.js" data-write-key="…" data-options='{"spa":true}'>: no inline script, for strict policies.
  const { writeKey, options } = (script && script.dataset) || {};
  if (writeKey) {
    tracker.init(writeKey, JSON.parse(options || "{}"));
    tracker.page();
  }
  return tracker;
}

const chatnation = load();
export default chatnation;
