/** `<button data-show-password="id">` shows what was typed, and hides it again. */
export function passwordToggles(): void {
  document.querySelectorAll<HTMLButtonElement>("[data-show-password]").forEach((button) => {
    const field = document.getElementById(button.dataset.showPassword ?? "");
    if (!(field instanceof HTMLInputElement)) return;
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
    });
  });
}
