// Runs before the page is drawn, so that it never flashes in the wrong colours or with the wrong menu.
// A plain script without imports: as a module it would run too late.
{
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  const remembered = (key: string): string | null => {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // Storage may be forbidden.
    }
  };

  const apply = (): void => {
    const choice = remembered("chatnation-theme");
    root.dataset.bsTheme = choice === "dark" || choice === "light" ? choice : dark.matches ? "dark" : "light";
  };

  apply();
  dark.addEventListener("change", apply);
  if (remembered("chatnation-menu") === "folded") root.dataset.bsSidebar = "folded";
}
