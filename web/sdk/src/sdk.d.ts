/** Types of the Chatnation browser tracker. `sdk.js` puts a {@link Tracker} on `window.chatnation`. */

export type Consent = "granted" | "denied" | "pending";

/** Anything that survives `JSON.stringify`. */
export type Properties = Record<string, unknown>;

/** Marks an event as the first or last step of a journey. */
export interface JourneyFlags {
  journeyStart?: boolean;
  journeyEnd?: boolean;
}

/** An event as it goes over the wire. */
export interface WireEvent extends Record<string, unknown> {
  message_id: string;
  event_name: string;
  event_type: string;
  timestamp: string;
  anonymous_id: string;
  session_id: string;
  sequence: number;
  user_id?: string;
  previous_id?: string;
  journey_start?: true;
  journey_end?: true;
  context: Record<string, unknown>;
  properties: Properties;
}

/** Why events will never arrive. Failures that are retried are not reported. */
export type LossReason =
  /** the server took the request but not this event; `detail` is its `{code, path, message}` */
  | "rejected"
  /** the server answered 4xx to the whole request; `detail` is its answer */
  | "refused"
  /** not delivered within seven days */
  | "expired"
  /** pushed out of a full queue by newer events */
  | "overflow"
  /** alone larger than a request may be */
  | "too_large"
  /** could not be turned into JSON, or `beforeSend` threw; `detail` is the exception */
  | "invalid";

export interface Loss {
  reason: LossReason;
  messageIds: string[];
  /** HTTP status, where there was an answer. */
  status?: number;
  detail?: unknown;
}

export interface Options {
  /** Where batches are posted. Default: `v1/capture` beside the script. */
  apiEndpoint?: string;
  /** Events that make a batch leave at once. Default 10. */
  batchSize?: number;
  /** Longest wait of an event for a fuller batch, in milliseconds. Default 5000. */
  flushIntervalMs?: number;
  /** Silence that ends a session, in milliseconds. Default 30 minutes. */
  sessionTimeoutMs?: number;
  /** Events that may wait on this device; the oldest are dropped beyond it. Default 1000. */
  maxQueueSize?: number;
  /** Record a page view whenever the address changes without a page load. Default false. */
  spa?: boolean;
  /** For visitors who have not chosen yet; see {@link Tracker.setConsent}. Default `"granted"`. */
  consent?: Consent;
  /** Record nothing for browsers that send Do-Not-Track. Default true. */
  respectDoNotTrack?: boolean;
  /** Record nothing for browsers that send Global Privacy Control. Default true. */
  respectGlobalPrivacyControl?: boolean;
  /** Last look at an event before it is queued: return it, changed or not, or null to drop it. */
  beforeSend?: (event: WireEvent) => WireEvent | null;
  /** Called with every loss. */
  onError?: (loss: Loss) => void;
  /** Say in the console what goes wrong. Default false. */
  debug?: boolean;
  /** A second global name for the tracker, such as `"analytics"`; set only where it is free. */
  globalAlias?: string;
}

export interface Ids {
  anonymousId: string;
  sessionId: string;
  userId?: string;
}

export interface Tracker {
  readonly version: string;
  /** Start. Calls made earlier are kept and replayed in order; a second `init` warns and changes nothing. */
  init(writeKey: string, options?: Options): void;
  /** Record a page view. */
  page(properties?: Properties): void;
  /** Record that something happened. */
  track(name: string, properties?: Properties, flags?: JourneyFlags): void;
  /** Say who the visitor is, from now on and for what this browser did before. */
  identify(userId: string | number | null, traits?: Properties): void;
  /** Say that two ids are one person. `previousId` defaults to the id in use. */
  alias(newId: string | number, previousId?: string | number): void;
  /** Forget the visitor: the next event is somebody else's. Call it at log-out. */
  reset(): void;
  /** Send what waits. Resolves when it was sent or the attempt ended; never rejects. */
  flush(): Promise<void>;
  /** A `wa.me` link whose prefilled text carries the token that joins this visitor with the WhatsApp contact. */
  whatsappLink(phone: string, text?: string): string;
  /** Keep the visitor's choice on this device. `"denied"` also deletes everything stored. */
  setConsent(choice: "granted" | "denied"): void;
  /** Call back once the tracker has started. */
  ready(callback: () => void): void;
  /** The ids in use, for events that your server sends; undefined before `init` and without consent. */
  ids(): Ids | undefined;
}

declare const chatnation: Tracker;
export default chatnation;

declare global {
  interface Window {
    chatnation: Tracker;
  }
}
