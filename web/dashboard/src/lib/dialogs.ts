/**
 * `<button data-dialog="id">` opens that `<dialog>`; `<button data-close>` inside closes it. The browser keeps the focus.
 * `<dialog data-open>` is open when the page comes, because what was sent from it has to be corrected.
 */
export function dialogs(): void {
  document.querySelector<HTMLDialogElement>("dialog[data-open]")?.showModal();
  document.addEventListener("click", (event) => {
    const target = event.target as Element;
    const opener = target.closest<HTMLElement>("[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog ?? "");
      if (dialog instanceof HTMLDialogElement) dialog.showModal();
    }
    if (target.closest("[data-close]")) target.closest("dialog")?.close();
    if (target instanceof HTMLDialogElement) target.close(); // A click on the backdrop.
  });
}
