import { type Finding, fail } from '../../base/finding.ts';
import { disk } from './disk.ts';
import { engine } from './engine.ts';
import { limits } from './limits.ts';
import { networks } from './networks.ts';
import type { HostCheck, HostPatient } from './patient.ts';
import { store } from './store.ts';

const checks: readonly HostCheck[] = [engine, networks, store, disk, limits];

/** All checks at once; the findings in their order. Never throws. */
export async function examineHost(patient: HostPatient): Promise<readonly Finding[]> {
  const found = await Promise.all(
    checks.map(async (check) => {
      try {
        return await check.run(patient);
      } catch (error) {
        return [fail(check.name, error)];
      }
    }),
  );
  return found.flat();
}
