import { bytesOf } from "./queue";

/** Browsers let requests of 64 KB in all outlive their page. */
export const UNLOAD_BYTES = 6e4;
const TIMEOUT = 3e4;

export interface Answer {
  status: number;
  /** The JSON of the answer, if it was JSON. */
  body: Record<string, unknown> | undefined;
  /** Milliseconds that the server asks us to wait; 0 or NaN where it does not say. */
  retryAfter: number;
}

/** Bytes of requests under way that may outlive the page. */
let flying = 0;

function retryAfterOf(header: string | null) {
  if (!header) return 0;
  return Number(header) * 1e3 || Date.parse(header) - Date.now();
}

function parse(text: string) {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/**
 * Post a batch of events given as JSON texts. Resolves to undefined when nobody will ever tell how it ended; rejects
 * when there was no answer.
 */
export async function post(
  endpoint: string,
  writeKey: string,
  events: string[],
  unloading: boolean,
): Promise<Answer | undefined> {
  const envelope = JSON.stringify({ sent_at: new Date().toISOString(), write_key: writeKey });
  const body = `{"batch":[${events}],${envelope.slice(1)}`;
  const bytes = bytesOf(body);
  if (unloading && !("keepalive" in Request.prototype)) {
    navigator.sendBeacon(endpoint, body);
    return undefined;
  }
  const keepalive = flying + bytes <= UNLOAD_BYTES;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT);
  if (keepalive) flying += bytes;
  try {
    const response = await fetch(endpoint, {
      method: "POST",
      body,
      keepalive,
      credentials: "omit",
      signal: abort.signal,
      // A dying page has no time for a preflight: plain text needs none, and the body names the key.
      headers: unloading ? {} : { "Content-Type": "application/json", "X-Write-Key": writeKey },
    });
    return {
      status: response.status,
      body: parse(await response.text()),
      retryAfter: retryAfterOf(response.headers.get("Retry-After")),
    };
  } finally {
    clearTimeout(timer);
    if (keepalive) flying -= bytes;
  }
}

/** What a request that must outlive the page may still hold. */
export const unloadBytesLeft = () => UNLOAD_BYTES - flying;
