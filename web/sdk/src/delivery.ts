import { type Answer, post, unloadBytesLeft } from "./http";
import { MAX_BYTES, type Lose, type Queue, type Waiting } from "./queue";
import type { Storage } from "./storage";

/** Longer than a request may take. */
const LEASE = 4e4;
const UNLOAD_LEASE = 1e4;
const CLAIM = 1e3;
/** What one tab stores reaches the others a moment later, even when a lock has passed from one to the other. */
const SETTLE = 50;
const MAX_BACKOFF = 3e5;
const MAX_RETRY_AFTER = 864e5;
const BACKOFF = "r";

/** How often sending failed in a row, when to try again (Unix ms), and whether there was no answer at all. */
type Backoff = [failures: number, until: number, unanswered?: boolean];

export interface Delivery {
  /** Send what waits, once no other tab is sending. */
  flush(): Promise<void>;
  /** Send at once what fits into a request that outlives the page. */
  flushBeforeUnload(): void;
  /** Flush within `delay` milliseconds. */
  schedule(delay: number): void;
  /** The network is back: forget that it was away. */
  online(): void;
}

interface RejectedEvent {
  message_id?: string;
  index: number;
}

export function createDelivery(
  storage: Storage,
  queue: Queue,
  endpoint: string,
  writeKey: string,
  lose: Lose,
  warn: (message: string, detail?: unknown) => void,
): Delivery {
  // Tabs add different fractions to the end of their leases, which tells them apart.
  const fraction = Math.random();
  let timer: ReturnType<typeof setTimeout>;
  let due = Infinity;
  let running: Promise<void> | undefined;
  let again = false;
  let maxEvents = 500;
  let claimed: Waiting[] = [];
  /** A request that ends with its page says nothing about the network. */
  let leaving = false;
  addEventListener("pagehide", () => (leaving = true));
  addEventListener("pageshow", () => (leaving = false));

  const backoff = () => storage.read<Backoff>(BACKOFF) || [0, 0];

  function schedule(delay: number) {
    const at = Date.now() + delay;
    if (at >= due) return;
    due = at;
    clearTimeout(timer);
    timer = setTimeout(() => {
      due = Infinity;
      flush();
    }, delay);
  }

  function retryLater(retryAfter: number, unanswered?: boolean) {
    const failures = backoff()[0] + 1;
    const delay =
      retryAfter > 0
        ? Math.min(retryAfter, MAX_RETRY_AFTER) * (1 + Math.random() / 5)
        : (Math.min(1e3 * 2 ** failures, MAX_BACKOFF) * (1 + Math.random())) / 2;
    storage.write(BACKOFF, [failures, Date.now() + delay, unanswered]);
    schedule(delay);
  }

  /** Whether the batch is done with, so that the next may follow. */
  function settle(batch: Waiting[], { status, body, retryAfter }: Answer): boolean {
    const ids = batch.map(({ id }) => id);
    // A hotel's sign-in page also answers 200, but not with JSON.
    if (status === 408 || status === 429 || status >= 500 || (status < 300 && !body)) {
      warn(`answered ${status}, will retry`);
      retryLater(retryAfter);
      return false;
    }
    storage.remove(BACKOFF);
    if (status === 413 && ids.length > 1) {
      // A proxy allows less than we were told: halve, down to single events.
      maxEvents = ids.length >> 1;
      return true;
    }
    queue.remove(batch);
    if (status >= 300) {
      lose("refused", ids, status, body);
    } else {
      for (const rejected of (body!.rejected || []) as RejectedEvent[]) {
        lose("rejected", [rejected.message_id || ids[rejected.index]!], status, rejected);
      }
    }
    return true;
  }

  /** Whether the batch is done with. The caller holds the lease `until`. */
  async function deliver(batch: Waiting[], until: number, unloading: boolean): Promise<boolean> {
    let answer: Answer | undefined;
    try {
      answer = await post(endpoint, writeKey, batch.map(({ json }) => json), unloading);
      // Unknown end: leave the lease to run out, then send again under the same message ids.
      if (!answer) return false;
    } catch (error) {
      warn("no answer, will retry", error);
      if (!leaving) retryLater(0, true);
    }
    const done = !!answer && settle(batch, answer);
    queue.lease(queue.held(batch, until), 0);
    return done;
  }

  /** Returns what identifies the lease. */
  function lease(batch: Waiting[], duration: number): number {
    const until = Date.now() + duration + fraction;
    queue.lease(batch, until);
    return until;
  }

  async function drain() {
    while (queue.size()) {
      // Under the lock nobody else is sending but pages that leave: who took a longer lease has died.
      claimed = queue.take(MAX_BYTES, maxEvents, navigator.locks && Date.now() + UNLOAD_LEASE + 1);
      const claim = lease(claimed, CLAIM);
      await new Promise((resolve) => setTimeout(resolve, SETTLE));
      const wait = backoff()[1] - Date.now();
      const batch = queue.held(claimed, claim);
      claimed = [];
      if (wait > 0) {
        queue.lease(batch, 0);
        return schedule(wait);
      }
      if (!batch.length) return schedule(2 * CLAIM);
      if (!(await deliver(batch, lease(batch, LEASE), false))) return;
    }
  }

  async function run() {
    while (again) {
      again = false;
      // A sandboxed frame has locks that refuse, and a storage that no other tab shares.
      await (navigator.locks ? navigator.locks.request("chatnation", drain).catch(drain) : drain());
    }
    running = undefined;
  }

  function flush() {
    again = true;
    return (running = running || run());
  }

  return {
    flush,
    flushBeforeUnload() {
      if (navigator.onLine === false || backoff()[1] > Date.now()) return;
      queue.lease(claimed, 0);
      const batch = queue.take(unloadBytesLeft(), maxEvents);
      if (batch.length) void deliver(batch, lease(batch, UNLOAD_LEASE), true).then((done) => void (done && flush()));
    },
    schedule,
    online() {
      if (backoff()[2]) storage.remove(BACKOFF);
      flush();
    },
  };
}
