const PREFIX = "cn.";

/**
 * Small texts by key: written to memory until `persist`, then to localStorage, where every tab of the origin sees
 * them. What localStorage refuses (full, forbidden, absent) stays in memory.
 */
export interface Storage {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  /** The JSON stored under a key; undefined where somebody else's hand made it unreadable. */
  read<T>(key: string): T | undefined;
  write(key: string, value: unknown): void;
  remove(key: string): void;
  /** The keys that start with `prefix`. */
  keys(prefix: string): string[];
  persist(): void;
  /** Forget everything, on disk too, but one key. */
  clear(except: string): void;
}

export function createStorage(): Storage {
  const memory = new Map<string, string>();
  let persistent = false;

  /** Even reading `window.localStorage` throws where cookies are blocked. */
  function disk<T>(work: (disk: globalThis.Storage) => T): T | undefined {
    try {
      return work(localStorage);
    } catch {
      return undefined;
    }
  }

  const stored = (prefix: string) =>
    disk((local) => Object.keys(local).filter((key) => key.startsWith(PREFIX + prefix))) || [];

  const storage: Storage = {
    get: (key) => memory.get(key) || disk((local) => local.getItem(PREFIX + key)) || undefined,
    set(key, value) {
      memory.set(key, value);
      if (persistent) {
        disk((local) => {
          local.setItem(PREFIX + key, value);
          memory.delete(key);
        });
      }
    },
    read: (key) => {
      try {
        return JSON.parse(storage.get(key)!);
      } catch {
        return undefined;
      }
    },
    write: (key, value) => storage.set(key, JSON.stringify(value)),
    remove(key) {
      memory.delete(key);
      if (persistent) disk((local) => local.removeItem(PREFIX + key));
    },
    keys(prefix) {
      const found = [...memory.keys()].filter((key) => key.startsWith(prefix));
      return persistent ? found.concat(stored(prefix).map((key) => key.slice(PREFIX.length))) : found;
    },
    persist() {
      persistent = true;
      memory.forEach((value, key) => storage.set(key, value));
    },
    clear(except) {
      memory.clear();
      disk((local) => stored("").forEach((key) => key === PREFIX + except || local.removeItem(key)));
    },
  };
  return storage;
}
