/** What each bot takes of the disk of this machine, as it was last measured. Bytes. */
export interface DiskUse {
  put(bot: string, bytes: number): void;
  /** Why it is over `limit`, as a sentence; undefined: it is not, or nobody has looked yet. */
  over(bot: string, limit: number | undefined): string | undefined;
  forget(bot: string): void;
}

export function createDiskUse(): DiskUse {
  const used = new Map<string, number>();
  return {
    put: (bot, bytes) => void used.set(bot, bytes),
    over: (bot, limit) => {
      const bytes = used.get(bot);
      if (bytes === undefined || limit === undefined || bytes <= limit) return undefined;
      return `its state and logs take ${mib(bytes)} on this machine, resources.disk is ${mib(limit)}`;
    },
    forget: (bot) => void used.delete(bot),
  };
}

const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;
