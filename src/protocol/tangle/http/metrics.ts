import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from '../../../base/parts/prometheus.ts';
import type { HostView } from '../../../host/sandboxes/placement/place.ts';
import { SANDBOX_STATUSES, type Sandboxes } from '../../../host/sandboxes/sandboxes.ts';

export interface FrontMetrics {
  /** `route` is its pattern: paths have ids in them. */
  answered(route: string, status: number, seconds: number): void;
}

/** `runtime_serve_…` in the registry of the host. */
export function frontMetrics(
  registry: Registry,
  {
    sandboxes,
    hosts,
  }: { readonly sandboxes: Pick<Sandboxes, 'all'>; readonly hosts: () => readonly HostView[] },
): FrontMetrics {
  const registers = [registry];
  const calls = new Histogram({
    name: 'runtime_serve_call_seconds',
    help: 'Calls until their answer was sent, by route and class of status; streams too',
    labelNames: ['route', 'status'],
    buckets: [0.002, 0.01, 0.05, 0.25, 1, 5, 30, 300],
    registers,
  });
  const limited = new Counter({
    name: 'runtime_serve_refused_total',
    help: 'Calls that were refused: 401, 403, 429, 503',
    labelNames: ['status'],
    registers,
  });
  new Gauge({
    name: 'runtime_serve_sandboxes',
    help: 'Sandboxes by status',
    labelNames: ['status'],
    registers,
    collect() {
      const all = sandboxes.all();
      for (const status of SANDBOX_STATUSES)
        this.set({ status }, all.filter((one) => one.status === status).length);
    },
  });
  new Gauge({
    name: 'runtime_serve_capacity',
    help: 'What each host has and what of it is taken: cores in thousandths, bytes, places',
    labelNames: ['host', 'what', 'of'],
    registers,
    collect() {
      this.reset();
      for (const { name: host, total, used, unfit } of hosts()) {
        for (const what of ['cpuMillis', 'memoryBytes', 'diskBytes', 'slots'] as const) {
          this.set({ host, what, of: 'total' }, total[what]);
          this.set({ host, what, of: 'used' }, used[what]);
        }
        this.set({ host, what: 'healthy', of: 'total' }, unfit === undefined ? 1 : 0);
      }
    },
  });
  return {
    answered: (route, status, seconds) => {
      calls.observe({ route, status: `${Math.floor(status / 100)}xx` }, seconds);
      if (status === 401 || status === 403 || status === 429 || status === 503)
        limited.inc({ status: String(status) });
    },
  };
}
