import { remember } from "./storage";

/** Buttons that switch between light and dark; `aria-pressed` says whether it is dark. */
export function themeSwitch(): void {
  const root = document.documentElement;
  const buttons = document.querySelectorAll<HTMLElement>("[data-theme-switch]");
  const show = (): void =>
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(root.dataset.bsTheme === "dark")));

  buttons.forEach((button) =>
    button.addEventListener("click", () => {
      const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
      root.dataset.bsTheme = theme;
      remember("chatnation-theme", theme);
    }),
  );
  new MutationObserver(show).observe(root, { attributeFilter: ["data-bs-theme"] });
  show();
}
