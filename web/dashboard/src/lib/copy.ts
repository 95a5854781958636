/** `<button data-copy="id">` copies the text of that element and says so for a moment. */
export function copyButtons(): void {
  document.addEventListener("click", async (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-copy]");
    const source = button && document.getElementById(button.dataset.copy ?? "");
    if (!button || !source) return;
    const label = button.querySelector<HTMLElement>("[data-copy-label]") ?? button;
    const before = label.textContent;
    label.textContent = (await copy(source)) ? "Copied" : "Press Ctrl+C to copy";
    setTimeout(() => (label.textContent = before), 2500);
  });
}

async function copy(source: HTMLElement): Promise<boolean> {
  const text = source instanceof HTMLInputElement ? source.value : (source.textContent ?? "");
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without TLS there is no clipboard; with the text selected the person can copy it.
    if (source instanceof HTMLInputElement) source.select();
    else getSelection()?.selectAllChildren(source);
    return false;
  }
}
