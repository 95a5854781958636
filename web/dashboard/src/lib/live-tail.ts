// A list of events that follows what comes in, and the rejections beside it.
import { listen } from "./live";

const LEAST_MS = 1_000;
const POLL_MS = 10_000;
const MOST_REJECTS = 20;
const KINDS = ["events.stored", "events.rejected", "gap"];

interface Reason {
  project_id: number;
  reason: string;
  count: number;
  sample?: { message?: string; shape?: unknown };
}

interface Told {
  count?: number;
  reasons?: Reason[];
}

/** `<section data-tail data-tail-url="…">`: asks the address for its rows again when events were stored. */
export function liveTails(): void {
  document.querySelectorAll<HTMLElement>("[data-tail]").forEach((tail) => new Tail(tail).start());
}

class Tail {
  private paused = false;
  private connected = false;
  private waiting = 0;
  private asking = false;
  private due = false;
  private asked = 0;
  private timer = 0;

  constructor(private readonly tail: HTMLElement) {}

  start(): void {
    this.find("[data-tail-pause]")?.addEventListener("click", () => this.toggle());
    listen("/api/live", KINDS, {
      connected: (yes) => this.connection(yes),
      message: (kind, data) => this.hear(kind, data as Told),
    });
    // What a stream would have told while it is away.
    setInterval(() => !this.connected && !this.paused && !document.hidden && this.soon(), POLL_MS);
    document.addEventListener("visibilitychange", () => !document.hidden && this.due && this.soon());
  }

  private hear(kind: string, told: Told): void {
    if (kind === "events.rejected") this.reject(told);
    else if (this.paused) this.count(told.count ?? 0);
    else this.soon();
  }

  private connection(yes: boolean): void {
    const again = yes && !this.connected;
    this.connected = yes;
    this.tail.dataset.liveState = yes ? "connected" : "waiting";
    this.say();
    if (again && !this.paused) this.soon();
  }

  private toggle(): void {
    this.paused = !this.paused;
    this.find("[data-tail-pause]")?.setAttribute("aria-pressed", String(this.paused));
    for (const part of this.tail.querySelectorAll<HTMLElement>("[data-tail-when]")) {
      part.hidden = (part.dataset.tailWhen === "paused") !== this.paused;
    }
    this.waiting = 0;
    this.count(0);
    this.say();
    if (!this.paused) this.soon();
  }

  private say(): void {
    const status = this.find("[data-tail-status]");
    if (status) status.textContent = this.paused ? "paused" : this.connected ? "as they come in" : "every 10 seconds";
  }

  private count(more: number): void {
    this.waiting += more;
    const badge = this.find("[data-tail-waiting]");
    if (!badge) return;
    badge.hidden = this.waiting === 0;
    badge.textContent = `${this.waiting.toLocaleString("en")} new`;
  }

  /** Ask now, or a second after the last time; however much happens, one question at a time. */
  private soon(): void {
    this.due = true;
    if (this.asking || this.timer || document.hidden) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      void this.ask();
    }, Math.max(0, this.asked + LEAST_MS - Date.now()));
  }

  private async ask(): Promise<void> {
    this.due = false;
    this.asking = true;
    this.asked = Date.now();
    try {
      const headers = { Accept: "text/html", "X-Requested-With": "poll" };
      const answer = await fetch(this.tail.dataset.tailUrl ?? "", { headers });
      if (answer.ok && !this.paused) this.show(await answer.text());
    } catch {
      // The next event or the next round asks again.
    } finally {
      this.asking = false;
      if (this.due && !this.paused) this.soon();
    }
  }

  private show(html: string): void {
    const rows = this.find("[data-tail-rows]");
    if (!rows) return;
    const known = new Set(ids(rows));
    const focused = rows.contains(document.activeElement) ? document.activeElement?.id : "";
    rows.innerHTML = html;
    for (const row of rows.querySelectorAll<HTMLElement>("[data-id]")) {
      if (!known.has(row.dataset.id ?? "")) row.classList.add("cn-fresh");
    }
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  private reject(told: Told): void {
    const box = this.find("[data-tail-rejects]");
    const list = this.find("[data-tail-reject-list]");
    const template = this.tail.querySelector<HTMLTemplateElement>("template[data-tail-reject]");
    if (!box || !list || !template) return;
    const projects = JSON.parse(box.dataset.tailProjects ?? "{}") as Record<string, string>;
    for (const each of told.reasons ?? []) {
      const item = template.content.cloneNode(true) as DocumentFragment;
      const shape = each.sample?.shape;
      fill(item, {
        count: each.count.toLocaleString("en"),
        reason: each.reason,
        project: projects[each.project_id] ?? "",
        message: each.sample?.message ?? "",
        shape: shape === undefined ? "" : JSON.stringify(shape, null, 2),
      });
      if (shape === undefined) item.querySelector("details")?.remove();
      list.prepend(item);
    }
    while (list.children.length > MOST_REJECTS) list.lastElementChild?.remove();
    if (box.hidden) box.querySelector("details")?.setAttribute("open", "");
    box.hidden = false;
  }

  private find(selector: string): HTMLElement | null {
    return this.tail.querySelector<HTMLElement>(selector);
  }
}

function ids(rows: HTMLElement): string[] {
  return [...rows.querySelectorAll<HTMLElement>("[data-id]")].map((row) => row.dataset.id ?? "");
}

function fill(item: DocumentFragment, values: Record<string, string>): void {
  for (const [name, value] of Object.entries(values)) {
    const place = item.querySelector(`[data-reject="${name}"]`);
    if (place) place.textContent = value;
  }
}

/**
 * `<a href="…" data-detail="id">`: shows what the address answers in that `<dialog>` instead of going there. A click
 * that wants a new tab gets one.
 */
export function details(): void {
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-detail]");
    const dialog = document.getElementById(link?.dataset.detail ?? "");
    if (!link || !(dialog instanceof HTMLDialogElement) || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void open(dialog, link.href);
  });
}

async function open(dialog: HTMLDialogElement, href: string): Promise<void> {
  const body = dialog.querySelector<HTMLElement>("[data-detail-body]");
  const page = dialog.querySelector<HTMLAnchorElement>("[data-detail-link]");
  try {
    const answer = await fetch(href, { headers: { Accept: "text/html", "X-Requested-With": "dialog" } });
    if (!answer.ok || !body) throw new Error(String(answer.status));
    body.innerHTML = await answer.text();
    if (page) page.href = href;
    dialog.showModal();
  } catch {
    location.assign(href);
  }
}
