import type { Finding } from '../../base/finding.ts';
import { runChecks } from '../../base/runChecks.ts';
import { cluster } from './cluster.ts';
import { disk } from './disk.ts';
import { engine } from './engine.ts';
import { leftovers } from './leftovers.ts';
import { limits } from './limits.ts';
import { networks } from './networks.ts';
import { otherHosts } from './otherHosts.ts';
import type { HostCheck, HostPatient } from './patient.ts';
import { store } from './store.ts';

/**
 * The room of `runtime doctor --host`: would a host of many bots work here? Each check is a file and gives findings, as in
 * `runtime doctor`: the engine and its image, or the cluster and what it allows, networks that keep bots apart, the store, its narrow keys and its other hosts, limits of the kernel, disk.
 */

const checks: Readonly<Record<HostPatient['driver'], readonly HostCheck[]>> = {
  docker: [engine, networks, leftovers, store, otherHosts, disk, limits],
  kubernetes: [cluster, store],
};

/** The findings in the order of the checks. Never throws. */
export function examineHost(patient: HostPatient): Promise<readonly Finding[]> {
  return runChecks(checks[patient.driver], patient);
}
