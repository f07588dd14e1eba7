import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../base/clock.ts';
import { type Finding, ok, warn } from '../../base/finding.ts';
import { openStores } from '../../store/openStores.ts';
import { heardOf } from '../owners/heartbeat.ts';
import { nameOf, SILENT_MS, type Table } from '../owners/owners.ts';
import { HOSTS_PREFIX, openOwnersTable } from '../owners/ownersTable.ts';
import type { HostCheck } from './patient.ts';

/** Which hosts have bots in the store, and those of which nothing is heard. */
export const otherHosts: HostCheck = {
  name: 'hosts of the store',
  async run(patient) {
    const { signal, data } = patient;
    const config = await patient.config();
    if (config.store.type === 'none') return [];
    const stores = openStores(config, { clock: systemClock, random: Math.random });
    try {
      const open = () => stores.open('state', 0);
      const { table } = await openOwnersTable(open, HOSTS_PREFIX).read(undefined, signal);
      if (table.hosts.size === 0) return hostFindings({ table, heard: new Map(), now: 0, own: undefined });
      const { at, now } = await heardOf(await open(), HOSTS_PREFIX, signal);
      const file = join(data, 'host-id');
      const own = existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
      return hostFindings({ table, heard: at, now, own });
    } catch {
      // The check of the store says what is the matter.
      return [];
    } finally {
      await stores.close();
    }
  },
};

/** `heard`: by key, and `now`: by the store's clock. `own`: the id of the host with this data folder. */
export function hostFindings(seen: {
  readonly table: Table;
  readonly heard: ReadonlyMap<string, number>;
  readonly now: number;
  readonly own: string | undefined;
}): Finding[] {
  const { table, heard, now, own } = seen;
  const check = otherHosts.name;
  if (table.hosts.size === 0) return [ok(check, 'no host has bots in it')];
  const bots = new Map<string, number>();
  for (const key of [...table.owners.values()].flat()) bots.set(key, (bots.get(key) ?? 0) + 1);
  const rows = [...table.hosts.values()];
  return rows.map((row) => {
    const at = heard.get(row.key);
    const has = `${nameOf(row)} has ${bots.get(row.key) ?? 0} bots`;
    const twins = rows.filter(({ host, key }) => host === row.host && key !== row.key && heard.has(key));
    if (twins.some(({ machine }) => machine !== row.machine) && at !== undefined)
      return warn(
        check,
        `${has}, and another host has its id: one works with a copy of the other's data folder`,
        'Remove the file host-id from the copy.',
      );
    if (at === undefined && row.host !== own)
      return warn(
        check,
        `${has}, and has ended; they run on, and no other host starts them`,
        `If it is gone for good: runtime host remove --id ${row.host}`,
      );
    if (at !== undefined && now - at > SILENT_MS)
      return warn(
        check,
        `${has}, and was last heard of at ${new Date(at).toISOString()}`,
        `If it is gone for good: runtime host remove --id ${row.host}`,
      );
    return ok(check, has);
  });
}
