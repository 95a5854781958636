const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const SAID_EVERY_MS = 60_000;

/** What a live connection tells its owner. */
export interface LiveListener {
  message(kind: string, data: unknown): void;
  /** Called with true on each connection, with false when it breaks. */
  connected?(yes: boolean): void;
}

/**
 * Server-sent events that come back: the browser reconnects by itself after a broken connection, but not after an
 * error answer (a restart behind a proxy); then we do, with growing pauses. The last id goes along in both cases.
 */
export function listen(url: string, kinds: string[], listener: LiveListener): void {
  let pause = FIRST_PAUSE_MS;
  let last = "";

  const connect = (): void => {
    const source = new EventSource(last ? `${url}?after=${encodeURIComponent(last)}` : url);
    source.addEventListener("open", () => {
      pause = FIRST_PAUSE_MS;
      listener.connected?.(true);
    });
    source.addEventListener("error", () => {
      listener.connected?.(false);
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    });
    for (const kind of kinds) {
      source.addEventListener(kind, (event) => {
        last = event.lastEventId;
        listener.message(kind, JSON.parse(event.data as string));
      });
    }
    // An open stream would keep the page out of the back-forward cache.
    addEventListener("pagehide", () => source.close(), { once: true });
    addEventListener("pageshow", (event) => event.persisted && connect(), { once: true });
  };
  connect();
}

/**
 * `<section data-live="url" data-live-kind="kind">`: each message's fields go into the elements inside that carry
 * `data-live-field="name"`, and `data-live-state` tells the stylesheet whether the connection stands. What they show is
 * put into `[data-live-said]` once a minute, for screen readers: each change would be too much to listen to.
 */
export function liveRegions(): void {
  document.querySelectorAll<HTMLElement>("[data-live]").forEach((region) => {
    const kind = region.dataset.liveKind ?? "message";
    let said = Date.now();
    listen(region.dataset.live ?? "", [kind], {
      connected: (yes) => (region.dataset.liveState = yes ? "connected" : "waiting"),
      message: (_, data) => {
        const values = data as Record<string, number | string>;
        region.querySelectorAll<HTMLElement>("[data-live-field]").forEach((field) => {
          const value = values[field.dataset.liveField ?? ""];
          if (value !== undefined) field.textContent = typeof value === "number" ? value.toLocaleString("en") : value;
        });
        if (Date.now() - said < SAID_EVERY_MS) return;
        said = Date.now();
        say(region);
      },
    });
  });
  document.querySelectorAll<HTMLElement>("[data-wait-url]").forEach(waitFor);
}

function say(region: HTMLElement): void {
  const field = region.querySelector("[data-live-said]");
  const parts = [...region.querySelectorAll("[data-live-field]")].map((shown) => {
    return `${shown.textContent} ${shown.parentElement?.dataset.liveUnit ?? ""}`;
  });
  if (field) field.textContent = parts.join(", ");
}

/**
 * `<section data-wait-url="…" data-wait-kind="…">`: asks the address for `{"done": true}` after each message of that kind
 * and on each connection; when it is done, the answer's fields go into `data-wait-field` and the done part is shown.
 */
function waitFor(region: HTMLElement): void {
  const { waitUrl = "", waitKind = "" } = region.dataset;
  const check = async (): Promise<void> => {
    if (region.dataset.waitState === "done") return;
    const answer = await fetch(waitUrl, { headers: { Accept: "application/json", "X-Requested-With": "poll" } });
    const state = answer.ok ? ((await answer.json()) as Record<string, string | boolean | null>) : {};
    if (!state.done) return;
    region.dataset.waitState = "done";
    region.querySelectorAll<HTMLElement>("[data-wait-field]").forEach((field) => {
      const value = String(state[field.dataset.waitField ?? ""] ?? "");
      if (field instanceof HTMLTimeElement) field.dateTime = value;
      field.textContent = field instanceof HTMLTimeElement ? "just now" : value;
    });
    region.querySelectorAll<HTMLElement>("[data-when-done]").forEach((element) => (element.hidden = false));
    region.querySelectorAll<HTMLElement>("[data-when-waiting]").forEach((element) => (element.hidden = true));
  };
  listen("/api/live", [waitKind, "gap"], {
    connected: (yes) => void (yes && check()),
    message: () => void check(),
  });
}
