import type { Finding } from '../../base/finding.ts';
import { runChecks } from '../../base/runChecks.ts';
import { disk } from './disk.ts';
import { engine } from './engine.ts';
import { limits } from './limits.ts';
import { networks } from './networks.ts';
import type { HostCheck, HostPatient } from './patient.ts';
import { store } from './store.ts';

const checks: readonly HostCheck[] = [engine, networks, store, disk, limits];

/** The findings in the order of the checks. Never throws. */
export function examineHost(patient: HostPatient): Promise<readonly Finding[]> {
  return runChecks(checks, patient);
}
