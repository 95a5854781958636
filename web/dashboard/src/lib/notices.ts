const SHOWN_MS = 6000;

/** Toasts that the server drew: they go by themselves unless somebody reads them with pointer or keyboard. */
export function notices(): void {
  document.querySelectorAll<HTMLElement>("[data-notice]").forEach(dismissable);
}

function dismissable(toast: HTMLElement): void {
  let timer = 0;
  const later = (): void => {
    timer = window.setTimeout(() => toast.remove(), SHOWN_MS);
  };
  const stay = (): void => clearTimeout(timer);
  toast.querySelector("button")?.addEventListener("click", () => toast.remove());
  toast.addEventListener("pointerenter", stay);
  toast.addEventListener("focusin", stay);
  toast.addEventListener("pointerleave", later);
  later();
}
