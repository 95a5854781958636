import { remember } from "./storage";

/** The button that folds the sidebar to icons. */
export function sidebarFolding(): void {
  const root = document.documentElement;
  const button = document.querySelector<HTMLElement>("[data-fold-sidebar]");
  if (!button) return;
  const show = (): void => button.setAttribute("aria-expanded", String(root.dataset.bsSidebar !== "folded"));

  button.addEventListener("click", () => {
    if (root.dataset.bsSidebar === "folded") {
      delete root.dataset.bsSidebar;
      remember("chatnation-menu", null);
    } else {
      root.dataset.bsSidebar = "folded";
      remember("chatnation-menu", "folded");
    }
    show();
  });
  show();
}

/** On narrow screens the menu is behind a button. */
export function mobileMenu(): void {
  const button = document.querySelector<HTMLButtonElement>("[data-menu-button]");
  const menu = button && document.getElementById(button.getAttribute("aria-controls") ?? "");
  if (!button || !menu) return;

  const open = (shown: boolean): void => {
    menu.classList.toggle("show", shown);
    button.setAttribute("aria-expanded", String(shown));
  };
  button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && button.getAttribute("aria-expanded") === "true") {
      open(false);
      button.focus();
    }
  });
}

/** Open `<details data-menu>` close on Escape, on a click elsewhere, and when the focus leaves them. */
export function closeMenusOnEscape(): void {
  const open = (): HTMLDetailsElement[] => [...document.querySelectorAll<HTMLDetailsElement>("details[data-menu][open]")];

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      const focused = menu.contains(document.activeElement);
      menu.open = false;
      if (focused) menu.querySelector("summary")?.focus();
    }
  });
  const closeOutside = (event: Event): void => {
    for (const menu of open()) if (!menu.contains(event.target as Node)) menu.open = false;
  };
  document.addEventListener("toggle", (event) => keepInside(event.target as HTMLElement), true);
  document.addEventListener("click", closeOutside);
  document.addEventListener("focusin", closeOutside);
}

/** A menu that would reach over the right edge of the window ends where its button does. */
function keepInside(details: HTMLElement): void {
  if (!(details instanceof HTMLDetailsElement) || !details.open || !details.matches("[data-menu]")) return;
  const menu = details.querySelector<HTMLElement>(":scope > .dropdown-menu");
  if (menu && menu.getBoundingClientRect().right > document.documentElement.clientWidth) menu.classList.add("dropdown-menu-end");
}
