import { CHOICE, consentOf } from "./consent";
import { type Delivery, createDelivery } from "./delivery";
import { uuid7 } from "./ids";
import { pageContext, watchAddress } from "./page";
import { type Lose, type Queue, createQueue } from "./queue";
import type { Consent, Options, Properties, Tracker, WireEvent } from "./sdk";
import { type Sessions, createSessions } from "./session";
import { createStorage } from "./storage";

const VERSION = "1.0.0";
const ANONYMOUS = "a";
const USER = "u";

/** A tracker, and a way to repeat a call that was made at an earlier time. */
export interface ReplayingTracker {
  tracker: Tracker;
  replay(name: keyof Tracker, args: unknown[], at: number): void;
}

/** `endpoint` is used when the options name none. On a server every call is accepted and nothing happens. */
export function createTracker(endpoint: string): ReplayingTracker {
  const storage = createStorage();
  const early: (() => void)[] = [];
  let options: Options = {};
  let consent: Consent | undefined;
  let sessions: Sessions;
  let queue: Queue;
  let delivery: Delivery;
  let replayedAt = 0;

  const now = () => replayedAt || Date.now();

  function warn(message: string, detail?: unknown) {
    if (options.debug) console.warn("[chatnation] " + message, detail || "");
  }

  const lose: Lose = (reason, messageIds, status, detail) => {
    warn(`${messageIds.length} event(s) lost: ${reason}`, detail);
    try {
      if (options.onError) options.onError({ reason, messageIds, ...(status && { status }), detail });
    } catch (error) {
      warn("onError threw", error);
    }
  };

  function at(time: number, call: () => void) {
    replayedAt = time;
    try {
      call();
    } finally {
      replayedAt = 0;
    }
  }

  /** `action`, kept until the tracker has started when it is called before. */
  const whenStarted =
    <Args extends unknown[]>(action: (...args: Args) => void) =>
    (...args: Args) => {
      const time = now();
      if (consent) action(...args);
      else if (typeof window !== "undefined") early.push(() => at(time, () => action(...args)));
    };

  function anonymousId() {
    const known = storage.get(ANONYMOUS);
    if (known) return known;
    const made = uuid7(now());
    storage.set(ANONYMOUS, made);
    return made;
  }

  function record(name: string, type: string, properties: Properties = {}, extra?: Partial<WireEvent>, token?: string) {
    if (refused()) return;
    const time = now();
    const id = uuid7(time);
    try {
      const session = sessions.next(time);
      const isPage = type === "page";
      let event: WireEvent | null = {
        message_id: id,
        event_name: name,
        event_type: type,
        timestamp: new Date(time).toISOString(),
        anonymous_id: anonymousId(),
        session_id: session.id,
        user_id: storage.get(USER)!,
        sequence: session.n,
        ...extra,
        context: {
          library: { name: "chatnation-js", version: VERSION },
          page: pageContext(),
          userAgent: navigator.userAgent,
          locale: isPage ? navigator.language : undefined,
          screen: isPage ? { width: screen.width, height: screen.height } : undefined,
          channel: "web",
          handshakeToken: token || session.hs,
          campaign: session.n === 1 ? sessions.campaign() : undefined,
        },
        properties,
      };
      if (options.beforeSend) event = options.beforeSend(event);
      if (!event) return;
      const waiting = queue.add(event);
      if (consent === "granted") {
        if (waiting >= (options.batchSize || 10)) void delivery.flush();
        else delivery.schedule(options.flushIntervalMs || 5000);
      }
    } catch (error) {
      lose("invalid", [id], 0, error);
    }
  }

  /** Also when the visitor refused in another tab. */
  const refused = () => consent === "denied" || storage.get(CHOICE) === "denied";

  function applyConsent() {
    if (consent === "denied") storage.clear(CHOICE);
    if (consent === "granted") {
      storage.persist();
      if (queue.size()) delivery.schedule(0);
    }
  }

  function leave() {
    if (consent === "granted") delivery.flushBeforeUnload();
  }

  const tracker: Tracker = {
    version: VERSION,
    init(writeKey, given = {}) {
      if (typeof window === "undefined") return;
      if (consent || !writeKey) {
        console.warn(`[chatnation] init ${consent ? "was called twice" : "needs a write key"}`);
        return;
      }
      options = given;
      sessions = createSessions(storage, options.sessionTimeoutMs || 18e5);
      queue = createQueue(storage, writeKey, options.maxQueueSize || 1000, lose);
      delivery = createDelivery(storage, queue, options.apiEndpoint || endpoint, writeKey, lose, warn);
      consent = consentOf(storage, options);
      const alias = options.globalAlias as "chatnation" | undefined;
      if (alias) window[alias] = window[alias] || tracker;
      applyConsent();
      early.splice(0).forEach((call) => call());
      if (options.spa) watchAddress(() => tracker.page());
      document.addEventListener("visibilitychange", () => document.hidden && leave());
      addEventListener("pagehide", leave);
      addEventListener("online", () => consent === "granted" && delivery.online());
    },
    page: whenStarted((properties) => record("page_view", "page", properties)),
    track: whenStarted((name, properties, flags = {}) =>
      record(name, "track", properties, {
        ...(flags.journeyStart && { journey_start: true }),
        ...(flags.journeyEnd && { journey_end: true }),
      }),
    ),
    identify: whenStarted((userId, traits) => {
      if (!refused() && userId != null && userId !== "") storage.set(USER, String(userId));
      record("identify", "identify", traits);
    }),
    alias: whenStarted((newId, previousId) => {
      if (refused()) return;
      const previous_id = String(previousId != null ? previousId : storage.get(USER) || anonymousId());
      storage.set(USER, String(newId));
      record("alias", "alias", {}, { previous_id });
    }),
    reset: whenStarted(() => {
      sessions.forget();
      storage.remove(USER);
      storage.remove(ANONYMOUS);
    }),
    flush: () => (consent === "granted" ? delivery.flush() : Promise.resolve()),
    whatsappLink(phone, text = "") {
      const digits = String(phone).replace(/\D/g, "");
      if (consent && !refused()) {
        const { token, fresh } = sessions.whatsappToken(now());
        if (fresh) record("whatsapp_link_created", "track", { phone: digits }, {}, token);
        text = `${text} [${token}]`.trim();
      }
      return `https://wa.me/${digits}?text=${encodeURIComponent(text)}`;
    },
    setConsent: whenStarted((choice) => {
      consent = choice === "granted" ? choice : "denied";
      storage.persist();
      storage.set(CHOICE, consent);
      applyConsent();
    }),
    ready: whenStarted((callback) => callback()),
    ids() {
      if (!consent || refused()) return undefined;
      const userId = storage.get(USER);
      return { anonymousId: anonymousId(), sessionId: sessions.id(now()), ...(userId && { userId }) };
    },
  };

  return {
    tracker,
    replay: (name, args, time) => at(time, () => (tracker[name] as (...args: unknown[]) => void)(...args)),
  };
}
