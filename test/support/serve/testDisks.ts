import { systemClock } from '../../../src/base/clock.ts';
import type { StateContext } from '../../../src/bot/state/format/context.ts';
import type { Disks } from '../../../src/host/sandboxes/disk/disks.ts';
import { openDisks } from '../../../src/host/sandboxes/disk/openDisks.ts';
import { openFileStore } from '../../../src/store/file/file.ts';

/** Disks in a folder. */
export function testDisks(path: string): Disks {
  const store = openFileStore(path, 'bot-state');
  const contextOf = async (bot: string): Promise<StateContext> => ({
    store,
    bot,
    clock: systemClock,
    warn: () => undefined,
  });
  const purge = async (state: string) => {
    for await (const { key } of store.list(`${state}/`)) await store.delete(key);
  };
  return openDisks({ contextOf, purge });
}
