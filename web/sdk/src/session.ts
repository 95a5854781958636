import { handshakeToken, uuid7 } from "./ids";
import type { Storage } from "./storage";

/** What the tabs of a browser share about the visit under way; short names because it is stored with every event. */
interface Session {
  id: string;
  /** Sequence number of the last event. */
  n: number;
  /** When that was, in Unix milliseconds. */
  at: number;
  /** Handshake token that the visitor came with. */
  hs?: string;
  /** Handshake token that the visitor was given for WhatsApp. */
  wa?: string;
}

export interface Sessions {
  /** The session that an event at `now` belongs to; counts the event. */
  next(now: number): Session;
  /** The token for links to WhatsApp, and whether it was made just now. */
  whatsappToken(now: number): { token: string; fresh: boolean };
  /** The session at `now`, without an event. */
  id(now: number): string;
  /** UTM parameters of the address that the visitor arrived at. */
  campaign(): Record<string, string> | undefined;
  forget(): void;
}

const KEY = "s";

export function createSessions(storage: Storage, timeout: number): Sessions {
  // Routers often keep their query behind the hash: /#/file?hs_token=…
  let arrival = new URLSearchParams(location.search.slice(1) + "&" + (location.hash.split("?")[1] || ""));
  let last: Session | undefined;

  function current(now: number): Session {
    let session = storage.read<Session>(KEY);
    if (!session || Math.abs(now - session.at) > timeout) session = { id: uuid7(now), n: 0, at: now };
    // Another tab may have written between our write and this read: never hand out a number twice in this tab.
    if (last && last.id === session.id && last.n > session.n) session.n = last.n;
    const token = arrival.get("hs_token");
    if (token) {
      session.hs = token;
      arrival.delete("hs_token");
    }
    return session;
  }

  function save(session: Session) {
    last = session;
    storage.write(KEY, session);
  }

  return {
    next(now) {
      const session = current(now);
      session.n++;
      session.at = Math.max(session.at, now);
      save(session);
      return session;
    },
    whatsappToken(now) {
      const session = current(now);
      const fresh = !session.wa;
      const token = (session.wa = session.wa || handshakeToken());
      save(session);
      return { token, fresh };
    },
    id(now) {
      const session = current(now);
      save(session);
      return session.id;
    },
    campaign() {
      const found: Record<string, string> = {};
      for (const name of ["source", "medium", "campaign", "term", "content"]) {
        const value = arrival.get("utm_" + name);
        if (value) found[name === "campaign" ? "name" : name] = value;
      }
      return Object.keys(found).length ? found : undefined;
    },
    forget() {
      // The address still shows whose link it was; the next visitor must not inherit it.
      arrival = new URLSearchParams();
      last = undefined;
      storage.remove(KEY);
    },
  };
}
