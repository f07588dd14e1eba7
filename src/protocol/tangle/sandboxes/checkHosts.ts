import { type Hints, type HostView, isCalled } from '../../../host/sandboxes/placement/place.ts';
import { invalid } from '../http/httpError.ts';

/** Throws 400 for hosts that are asked for and that there are not. */
export function checkHosts({ among }: Hints, hosts: readonly HostView[]): void {
  // It may be what one that has not been heard of yet calls itself.
  if (hosts.some(({ id }) => id === undefined)) return;
  const unknown = among.filter((text) => !hosts.some((host) => isCalled(host, text)));
  if (unknown.length === 0) return;
  const there = hosts.map(({ name }) => name).join(', ');
  throw invalid({ 'driver.targetHostIds': `there is no host ${unknown.join(', ')}; there are: ${there}` });
}
