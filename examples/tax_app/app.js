// A tax site in one page: the address after # says which step is shown.

import { JOURNEYS, OBLIGATIONS, PERIODS, STEP_NAMES, shillings } from "./journeys.js";
import { config, offerConsent, offerWhatsapp, startTracking } from "./tracking.js";

const main = document.getElementById("main");
const DEMO_CODE = "246810";

/** The return being filed; a new one starts on the first page. */
let filing = {};

// --- pages -------------------------------------------------------------------------------------------

function home() {
  filing = {};
  main.innerHTML = `
    <section class="hero">
      <h1>File a return in two minutes</h1>
      <p>Choose what you want to file. You need your tax PIN and your phone.</p>
    </section>
    <ul class="cards">
      ${Object.entries(JOURNEYS)
        .map(
          ([key, journey]) => `
        <li><a href="#/${key}/start" data-journey="${key}">
          <span class="tag">${key.toUpperCase()}</span>
          <h2>${journey.title}</h2>
          <p>${journey.text}</p>
          <span class="go" aria-hidden="true">File now</span>
        </a></li>`,
        )
        .join("")}
    </ul>`;
}

function setup() {
  main.innerHTML = `
    <section class="panel narrow">
      <h1>Where should events go?</h1>
      <p>Start Chatnation, open its setup page, and copy the write key from there. <code>config.js</code> keeps both for good.</p>
      <form>
        <label>Address of the server
          <input name="server" type="url" required />
        </label>
        <label>Write key
          <input name="key" required autocomplete="off" autofocus />
        </label>
        <button class="button">Start</button>
      </form>
    </section>`;
  const form = onSubmit((fields) => {
    config.save(fields.get("key").trim(), fields.get("server").trim());
    location.reload();
  });
  form.elements.server.value = config.server;
}

const STEPS = {
  start: {
    html: (journey) => `
      <h1>${journey.long}</h1>
      <p>${journey.text} It takes ${journey.steps.length - 1} short steps.</p>
      <label>Period
        <select name="period">${PERIODS.map((period) => `<option>${period}</option>`).join("")}</select>
      </label>`,
    button: "Start",
    submit(fields) {
      filing.period = fields.get("period");
      track("filing_started", { obligation_type: filing.journey, period: filing.period }, { journeyStart: true });
    },
  },
  validation: {
    html: () => `
      <h1>Who is filing?</h1>
      <label>Tax PIN
        <input name="pin" required autocomplete="off" autocapitalize="characters" value="A012345678Z" aria-describedby="pin-hint" />
      </label>
      <p id="pin-hint" class="hint">A letter, nine digits, a letter. Any such PIN works here.</p>`,
    button: "Check my PIN",
    submit(fields) {
      const pin = fields.get("pin").trim().toUpperCase();
      if (!/^[A-Z]\d{9}[A-Z]$/.test(pin)) fail("invalid_pin", "That is not a PIN: it needs a letter, nine digits and a letter.");
      filing.pin = pin;
      chatnation.identify(pin, { pin, obligation: filing.journey });
      track("validation_success", { obligation_type: filing.journey });
      showWho();
    },
  },
  otp: {
    html: () => `
      <h1>Confirm that it is you</h1>
      <fieldset class="choices">
        <legend>Send the code by</legend>
        <label><input type="radio" name="method" value="whatsapp" checked /> WhatsApp</label>
        <label><input type="radio" name="method" value="sms" /> SMS</label>
      </fieldset>
      <label>Six-digit code
        <input name="code" inputmode="numeric" autocomplete="one-time-code" required maxlength="6" value="${DEMO_CODE}" aria-describedby="code-hint" />
      </label>
      <p id="code-hint" class="hint">Here the code is always ${DEMO_CODE}.</p>`,
    button: "Confirm",
    submit(fields) {
      if (fields.get("code").trim() !== DEMO_CODE) fail("wrong_otp", "That code is not right. Here it is always " + DEMO_CODE + ".");
      track("otp_success", { method: fields.get("method") });
    },
  },
  form: {
    html: (journey) => `
      <h1>${filing.period}</h1>
      <label>${journey.question} in KES
        <input name="gross" inputmode="decimal" required value="${filing.gross || 85000}" aria-describedby="due" />
      </label>
      <p class="sum"><span>Tax due at ${+(journey.rate * 100).toFixed(2)} %</span> <output id="due" aria-live="polite"></output></p>`,
    button: "Continue",
    ready(form) {
      const show = () => {
        const gross = amountOf(form.elements.gross.value);
        form.querySelector("#due").textContent = Number.isFinite(gross) ? shillings(gross * JOURNEYS[filing.journey].rate) : "–";
      };
      form.elements.gross.addEventListener("input", show);
      show();
    },
    submit(fields) {
      const gross = amountOf(fields.get("gross"));
      if (!(gross > 0)) fail("invalid_amount", "Type an amount above zero, in digits.");
      filing.gross = gross;
      filing.amount = Math.round(gross * JOURNEYS[filing.journey].rate * 100) / 100;
      track("form_submitted", { form_id: filing.journey + "_return", gross });
    },
  },
  obligation: {
    html: () => `
      <h1>For which obligation?</h1>
      <fieldset class="choices column">
        <legend>I earned nothing in ${filing.period} and owe no</legend>
        ${OBLIGATIONS.map(
          (name, index) => `<label><input type="radio" name="obligation" value="${name}" ${index ? "" : "checked"} /> ${name}</label>`,
        ).join("")}
      </fieldset>`,
    button: "Continue",
    submit(fields) {
      filing.obligation = fields.get("obligation");
      track("form_submitted", { form_id: "nil_return", obligation: filing.obligation });
    },
  },
  submit: {
    html: (journey) => `
      <h1>Is this right?</h1>
      <dl>
        <dt>Return</dt><dd>${journey.long}</dd>
        <dt>PIN</dt><dd>${filing.pin}</dd>
        <dt>Period</dt><dd>${filing.period}</dd>
        ${filing.gross ? `<dt>${journey.question}</dt><dd>${shillings(filing.gross)}</dd>` : ""}
        ${filing.obligation ? `<dt>Obligation</dt><dd>${filing.obligation}</dd>` : ""}
        <dt>Tax due</dt><dd>${shillings(filing.amount || 0)}</dd>
      </dl>`,
    button: "Submit the return",
    submit() {
      filing.receipt = "MRA" + String(Math.floor(Math.random() * 1e8)).padStart(8, "0");
      const properties = {
        obligation: filing.journey,
        return_type: filing.journey,
        receipt_number: filing.receipt,
        period: filing.period,
        amount: filing.amount || 0,
      };
      track("return_filed", properties, { journeyEnd: filing.journey === "nil" });
    },
  },
  payment: {
    html: () => `
      <h1>Pay ${shillings(filing.amount)}</h1>
      <p>Your return ${filing.receipt} is filed. A prompt comes to your phone.</p>
      <label>Mobile money number
        <input name="phone" type="tel" required value="0712 345 678" />
      </label>`,
    button: "Pay now",
    submit(fields) {
      const digits = fields.get("phone").replace(/\D/g, "");
      if (digits.length < 9) fail("invalid_phone", "That number is too short.");
      const prn = "PRN" + filing.receipt.slice(3);
      track("payment_initiated", { amount: filing.amount, prn, phone_masked: "*".repeat(digits.length - 3) + digits.slice(-3) });
      filing.transaction = "TX" + Math.random().toString(36).slice(2, 10).toUpperCase();
      track("payment_success", { transaction_id: filing.transaction, amount: filing.amount }, { journeyEnd: true });
    },
  },
  done: {
    html: (journey) => `
      <div class="tick" aria-hidden="true">✓</div>
      <h1>Done</h1>
      <p>${journey.long} for ${filing.period} is filed${filing.transaction ? " and paid" : ""}.</p>
      <dl>
        <dt>Receipt</dt><dd>${filing.receipt}</dd>
        ${filing.transaction ? `<dt>Transaction</dt><dd>${filing.transaction}</dd>` : ""}
      </dl>
      <p><a class="button" href="#/">File another return</a></p>`,
  },
};

// --- how a step is shown and left --------------------------------------------------------------------

const amountOf = (text) => (text.trim() ? Number(text.replace(/[,\s]/g, "")) : NaN);

/** An event of this journey; `step` is what Chatnation's journeys go by. */
const track = (name, properties, flags) => chatnation.track(name, { step: filing.step, ...properties }, flags);

function fail(code, message) {
  track("app_error", { error_code: code, message });
  throw new RangeError(message);
}

function onSubmit(handle) {
  const form = main.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const problem = form.querySelector("[role=alert]");
    try {
      handle(new FormData(form));
    } catch (error) {
      if (!(error instanceof RangeError) || !problem) throw error;
      problem.textContent = error.message;
      problem.hidden = false;
    }
  });
  return form;
}

function showStep(key, name) {
  const journey = JOURNEYS[key];
  const at = journey.steps.indexOf(name);
  const step = STEPS[name];
  main.innerHTML = `
    <ol class="steps" aria-label="Steps">
      ${journey.steps
        .map((each, index) => {
          const state = index < at ? "past" : index === at ? "now" : "";
          return `<li class="${state}" ${index === at ? 'aria-current="step"' : ""}><span>${STEP_NAMES[each]}</span></li>`;
        })
        .join("")}
    </ol>
    <section class="panel">
      ${
        step.button
          ? `<form novalidate>${step.html(journey)}<p class="problem" role="alert" hidden></p>
             <div class="buttons"><button class="button">${step.button}</button>
             <a class="quiet" href="#/">Cancel</a></div></form>`
          : step.html(journey)
      }
    </section>`;
  if (!step.button) return;
  const form = onSubmit((fields) => {
    step.submit(fields);
    location.hash = `#/${key}/${journey.steps[at + 1]}`;
  });
  step.ready?.(form);
}

/** What must be known before a step can be shown: who opens a link to the middle of a journey starts it anew. */
const NEEDED = { validation: "period", otp: "pin", form: "pin", obligation: "pin", submit: "pin", payment: "receipt", done: "receipt" };

function route() {
  const [, key, name] = location.hash.split("?")[0].split("/");
  const journey = JOURNEYS[key];
  if (!journey) {
    document.title = "Mavuno Revenue Authority";
    home();
  } else if (!journey.steps.includes(name) || (NEEDED[name] && !filing[NEEDED[name]])) {
    location.replace(`#/${key}/start`);
    return;
  } else {
    if (filing.journey !== key) filing = { journey: key };
    filing.step = name;
    document.title = `${STEP_NAMES[name]} · ${journey.long}`;
    showStep(key, name);
  }
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

// --- who is signed in --------------------------------------------------------------------------------

function showWho() {
  const who = document.getElementById("who");
  who.textContent = filing.pin || "";
  who.hidden = document.getElementById("sign-out").hidden = !filing.pin;
}

document.getElementById("sign-out").addEventListener("click", () => {
  track("button_click", { button_id: "sign_out", label: "Sign out" });
  chatnation.reset();
  filing = {};
  showWho();
  location.hash = "#/";
});

main.addEventListener("click", (event) => {
  const card = event.target.closest("[data-journey]");
  if (card) chatnation.track("button_click", { button_id: "file_" + card.dataset.journey, page_location: "home" });
});

if (config.writeKey) {
  startTracking();
  offerWhatsapp(document.getElementById("whatsapp"));
  offerConsent(document.getElementById("record"));
  addEventListener("hashchange", route);
  route();
} else {
  setup();
}
