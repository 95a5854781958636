import { timeOf } from "./ids";
import type { LossReason, WireEvent } from "./sdk";
import type { Storage } from "./storage";

const DAYS_7 = 6048e5;
const MAX_KEPT = 2e6;
/** Room for the braces, the sending time and the write key around the events of a request. */
const ENVELOPE = 300;

export const MAX_BYTES = 9.5e5;

export interface Waiting {
  id: string;
  json: string;
}

export type Lose = (reason: LossReason, messageIds: string[], status?: number, detail?: unknown) => void;

/**
 * Events on their way, one storage key each, so that tabs add and remove without overwriting each other. Message ids
 * are UUIDv7, so the order of the keys is the order of the events. A lease, again one key each, marks an event that a
 * tab is sending.
 */
export interface Queue {
  /** Keep an event; returns how many wait. */
  add(event: WireEvent): number;
  /**
   * The oldest events that nobody is sending, as many as `max` and a request of `bytes` hold. Leases that end after
   * `longest` do not count.
   */
  take(bytes: number, max: number, longest?: number): Waiting[];
  /** Mark events as being sent until a time, which also identifies the holder; 0 gives them back. */
  lease(events: Waiting[], until: number): void;
  /** Those of `events` that still wait and are leased until exactly `until`. */
  held(events: Waiting[], until: number): Waiting[];
  remove(events: Waiting[]): void;
  /** How many wait, leased or not. */
  size(): number;
}

export const bytesOf = (text: string) => new Blob([text]).size;

export function createQueue(storage: Storage, writeKey: string, maxSize: number, lose: Lose): Queue {
  const prefix = `q.${writeKey}.`;
  const LEASE = "f.";

  const leaseOf = (id: string) => Number(storage.get(LEASE + id) || 0);
  const idOf = (key: string) => key.slice(-36);
  const waiting = () => storage.keys(prefix).sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));

  function drop(keys: string[], reason: LossReason) {
    keys.forEach(storage.remove);
    if (keys.length) lose(reason, keys.map(idOf));
  }

  function dropExpired() {
    // Also those of write keys that this site used earlier: nobody else will clean up after them.
    const old = storage.keys("q.").filter((key) => timeOf(idOf(key)) < Date.now() - DAYS_7);
    drop(old, "expired");
    storage.keys(LEASE).forEach((key) => leaseOf(idOf(key)) < Date.now() && storage.remove(key));
  }

  /** Characters kept, at most: what was removed since the last look still counts. */
  let kept = Infinity;

  function dropOverflow() {
    const keys = waiting();
    let room = maxSize;
    kept = 0;
    for (const key of [...keys].reverse()) {
      const { length } = storage.get(key) || "";
      if (!room || kept + length > MAX_KEPT) break;
      kept += length;
      room--;
    }
    drop(keys.slice(0, Math.max(0, keys.length - maxSize + room)), "overflow");
  }

  const size = () => storage.keys(prefix).length;

  return {
    add(event) {
      const json = JSON.stringify(event);
      if (bytesOf(json) + ENVELOPE > MAX_BYTES) {
        lose("too_large", [event.message_id]);
      } else {
        storage.set(prefix + event.message_id, json);
        kept += json.length;
        if (kept > MAX_KEPT || size() > maxSize) dropOverflow();
      }
      return size();
    },
    take(bytes, max, longest = Infinity) {
      dropExpired();
      const taken: Waiting[] = [];
      let total = ENVELOPE;
      for (const key of waiting()) {
        const id = idOf(key);
        const json = storage.get(key);
        const leased = leaseOf(id);
        if (!json || (leased > Date.now() && leased <= longest)) continue;
        total += bytesOf(json) + 1;
        if (total > bytes || taken.length === max) break;
        taken.push({ id, json });
      }
      return taken;
    },
    lease: (events, until) =>
      events.forEach(({ id }) => (until ? storage.set(LEASE + id, String(until)) : storage.remove(LEASE + id))),
    held: (events, until) => events.filter(({ id }) => storage.get(prefix + id) && leaseOf(id) === until),
    remove: (events) =>
      events.forEach(({ id }) => {
        storage.remove(prefix + id);
        storage.remove(LEASE + id);
      }),
    size,
  };
}
