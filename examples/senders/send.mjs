// Send events from a Node server (18 or newer) with fetch.
//
//   CHATNATION_WRITE_KEY=… node send.mjs [http://127.0.0.1:8000]
//
// A batch is sent until the server has answered for it, under the same message ids, so nothing is lost or counted twice.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";

const ATTEMPTS = 6;

/** One event; its message id makes a repeat recognisable. */
const event = (name, userId, properties) => ({
  message_id: randomUUID(),
  event_name: name,
  timestamp: new Date().toISOString(),
  user_id: userId,
  context: { library: { name: "example-node", version: "1.0.0" } },
  properties,
});

/** Deliver up to 500 events; resolves to those that were rejected, each with its reason. */
async function send(server, writeKey, batch) {
  for (let attempt = 1; ; attempt++) {
    let wait = Math.min(2 ** attempt, 60);
    let problem;
    try {
      const response = await fetch(server + "/v1/capture", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Write-Key": writeKey },
        body: JSON.stringify({ batch, sent_at: new Date().toISOString() }),
        signal: AbortSignal.timeout(30_000),
      });
      if (response.ok) return (await response.json()).rejected;
      problem = new Error(`${response.status} ${await response.text()}`);
      problem.final = response.status < 500 && ![408, 429].includes(response.status);
      wait = Number(response.headers.get("Retry-After")) || wait;
    } catch (error) {
      problem = error;
    }
    if (problem.final || attempt === ATTEMPTS) throw problem;
    await pause(wait * 1000);
  }
}

const batch = [
  event("filing_started", "A012345678Z", { obligation_type: "nil" }),
  event("return_filed", "A012345678Z", { obligation: "nil", receipt_number: "MRA00000002" }),
];
const rejected = await send(process.argv[2] ?? "http://127.0.0.1:8000", process.env.CHATNATION_WRITE_KEY, batch);
console.log(`${batch.length - rejected.length} accepted`);
for (const { index, path, message } of rejected) console.error(`event ${index} was rejected: ${path} ${message}`);
