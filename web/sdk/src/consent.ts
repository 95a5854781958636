import type { Consent, Options } from "./sdk";
import type { Storage } from "./storage";

/** Storage key of the visitor's own choice. */
export const CHOICE = "c";

/** Old Safari and Internet Explorer put the signal on the window or called it "yes". */
function doNotTrack() {
  const signal = navigator.doNotTrack || (window as { doNotTrack?: string }).doNotTrack;
  return signal === "1" || signal === "yes";
}

const globalPrivacyControl = () => (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;

/** A visitor's own choice on this site counts most, then the browser's signals, then what the site says. */
export function consentOf(storage: Storage, options: Options): Consent {
  const choice = storage.get(CHOICE) as Consent | undefined;
  if (choice) return choice;
  const refused =
    (options.respectDoNotTrack !== false && doNotTrack()) ||
    (options.respectGlobalPrivacyControl !== false && globalPrivacyControl());
  return refused ? "denied" : options.consent || "granted";
}
