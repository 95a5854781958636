// Cards of analytics pages: load again by themselves while somebody looks, and say so when they cannot.

const LOAD = "cn:load";
const TICK_MS = 1000;

/** Starts the clock of every `[data-refresh]` card, and shows a way to try again where a request failed. */
export function cards(): void {
  const loaded = new Map<string, number>(); // By id: a card that is loaded anew is another element.
  setInterval(() => {
    if (document.hidden) return;
    document.querySelectorAll<HTMLElement>("[data-card][data-refresh]").forEach((card) => {
      const since = loaded.get(card.id);
      if (since === undefined) loaded.set(card.id, Date.now());
      // Ticks are not exact; without the half, a card of each second would be a second late every other time.
      else if (Date.now() - since >= 1000 * Number(card.dataset.refresh) - TICK_MS / 2 && !inUse(card)) {
        loaded.set(card.id, Date.now());
        load(card);
      }
    });
  }, TICK_MS);

  document.addEventListener("htmx:error", (event) => {
    const { ctx } = (event as CustomEvent<{ ctx?: { target?: Element; sourceElement?: Element } }>).detail;
    const card = (ctx?.target ?? ctx?.sourceElement)?.closest<HTMLElement>("[data-card]");
    const template = document.querySelector<HTMLTemplateElement>("template[data-card-failed]");
    // What is shown already stays; a card that never came must not look as if it were still on its way.
    if (!card || !template || card.getAttribute("aria-busy") !== "true") return;
    card.replaceChildren(template.content.cloneNode(true));
    card.removeAttribute("aria-busy");
  });

  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest("[data-card-retry]");
    const card = button?.closest<HTMLElement>("[data-card]");
    if (!card) return;
    card.setAttribute("aria-busy", "true");
    load(card);
  });
}

function load(card: HTMLElement): void {
  card.dispatchEvent(new CustomEvent(LOAD));
}

/** Whether somebody does something in it: what has the focus or is open must not be swapped away. */
function inUse(card: HTMLElement): boolean {
  return card.contains(document.activeElement) || card.querySelector("details[data-menu][open]") !== null || card.matches(":hover");
}
