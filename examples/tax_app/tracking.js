// Loads the tracker and shows what it records. A site of yours needs the snippet from the setup page instead, and
// nothing else of this file.

const address = new URLSearchParams(location.search);
const remembered = (name) => sessionStorage.getItem("tax_app." + name);

/** The address beats what it said earlier in this tab, and that beats config.js. */
function setting(parameter, name) {
  const given = address.get(parameter);
  if (given) sessionStorage.setItem("tax_app." + name, given);
  return given || remembered(name) || window.TAX_APP[name];
}

export const config = {
  get writeKey() {
    return setting("write_key", "writeKey");
  },
  get server() {
    return setting("server", "server").replace(/\/+$/, "");
  },
  whatsapp: window.TAX_APP.whatsapp,
  save(writeKey, server) {
    sessionStorage.setItem("tax_app.writeKey", writeKey);
    sessionStorage.setItem("tax_app.server", server);
  },
};

const tape = document.getElementById("tape");
const status = document.getElementById("status");

function show(event) {
  document.getElementById("tape-hint").hidden = true;
  const line = document.createElement("li");
  line.dataset.id = event.message_id;
  const name = document.createElement("b");
  name.textContent = event.event_name;
  const flags = [event.journey_start && "journey starts", event.journey_end && "journey ends"].filter(Boolean);
  const details = Object.entries(event.event_type === "page" ? { path: event.context.page.path } : event.properties)
    .map(([key, value]) => `${key}: ${value}`)
    .concat(flags);
  if (event.context.handshakeToken) details.push("token: " + event.context.handshakeToken);
  const small = document.createElement("small");
  small.textContent = details.join(" · ");
  const number = document.createElement("span");
  number.textContent = event.sequence;
  line.append(number, name, small);
  tape.prepend(line);
  return event;
}

function lost(loss) {
  say(loss.reason === "refused" ? `refused (${loss.status})` : loss.reason, "bad");
  for (const id of loss.messageIds) {
    const line = tape.querySelector(`[data-id="${id}"]`);
    if (line) line.classList.add("lost");
  }
}

function say(text, mood = "") {
  status.textContent = text;
  status.className = "status " + mood;
}

/** Starts the tracker. Calls made before it has arrived are kept and replayed. */
export function startTracking() {
  const calls = (window.chatnation = []);
  for (const name of "init page track identify alias reset flush setConsent ready".split(" ")) {
    calls[name] = (...args) => calls.push([name, args, Date.now()]);
  }
  const script = document.createElement("script");
  script.async = true;
  script.src = config.server + "/sdk.js";
  script.onerror = () => say("no server at " + config.server, "bad");
  document.head.append(script);
  chatnation.init(config.writeKey, { spa: true, beforeSend: show, onError: lost, debug: true });
  chatnation.ready(() => say("recording", "good"));
  chatnation.page();
}

/** A link to the authority's WhatsApp, whose text carries the token that joins this visit with the chat. */
export function offerWhatsapp(link) {
  link.href = "https://wa.me/" + config.whatsapp;
  chatnation.ready(() => {
    const renew = () => (link.href = chatnation.whatsappLink(config.whatsapp, "Hello, I need help with my return."));
    link.addEventListener("pointerenter", renew);
    link.addEventListener("focus", renew);
  });
  link.addEventListener("click", () => chatnation.track("button_click", { button_id: "whatsapp", label: "Ask on WhatsApp" }));
}

export function offerConsent(box) {
  box.addEventListener("change", () => {
    chatnation.setConsent(box.checked ? "granted" : "denied");
    say(box.checked ? "recording" : "off", box.checked ? "good" : "");
  });
  box.checked = localStorage.getItem("cn.c") !== "denied";
  if (!box.checked) chatnation.ready(() => say("off"));
}
