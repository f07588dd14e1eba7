import { Counter, Gauge, Histogram, Registry } from '../../base/parts/prometheus.ts';
import type { HostApi } from '../api/hostApi.ts';
import type { HostEvent } from '../journal/event.ts';
import type { Observation } from '../loop/doStep.ts';
import type { Slots } from '../loop/slots.ts';

export interface HostMetrics {
  readonly registry: Registry;
  readonly observe: (what: Observation) => void;
  readonly event: (event: HostEvent) => void;
  /** What is asked when the metrics are. */
  watch(api: HostApi, slots: Slots): void;
}

export function createHostMetrics(): HostMetrics {
  const registry = new Registry();
  const registers = [registry];
  const steps = new Histogram({
    name: 'runtime_host_step_seconds',
    help: 'What a step of the reconciler took, by action and result',
    labelNames: ['action', 'result'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const starts = new Counter({
    name: 'runtime_host_starts_total',
    help: 'Instances that were started',
    registers,
  });
  const restarts = new Counter({
    name: 'runtime_host_restarts_total',
    help: 'Of these, after a failed end, by how it ended',
    labelNames: ['reason'],
    registers,
  });
  const ends = new Counter({
    name: 'runtime_host_ends_total',
    help: 'Instances that ended, by exit code',
    labelNames: ['exit'],
    registers,
  });
  const lost = new Counter({
    name: 'runtime_host_runs_not_run_total',
    help: 'Scheduled times that were not run, by why',
    labelNames: ['why'],
    registers,
  });
  const lateness = new Histogram({
    name: 'runtime_host_run_lateness_seconds',
    help: 'From the time that a run was due at until it was claimed or started',
    labelNames: ['until'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300],
    registers,
  });
  const errors = new Counter({
    name: 'runtime_host_step_errors_total',
    help: 'Steps of the reconciler that failed, by action',
    labelNames: ['action'],
    registers,
  });

  return {
    registry,
    observe: ({ action, seconds, ok }) => {
      steps.observe({ action, result: ok ? 'ok' : 'error' }, seconds);
      if (!ok) errors.inc({ action });
    },
    event: ({ type, facts }) => {
      if (type === 'started' || type === 'restarting') starts.inc();
      if (type === 'restarting') restarts.inc({ reason: String(facts.reason ?? 'unknown') });
      if (type === 'ended') ends.inc({ exit: String(facts.exit ?? 'unknown') });
      if (type === 'missed' || type === 'skipped' || type === 'lost') lost.inc({ why: type });
      if (typeof facts.late === 'number') {
        if (type === 'claimed') lateness.observe({ until: 'claim' }, facts.late / 1000);
        if (type === 'started') lateness.observe({ until: 'start' }, facts.late / 1000);
      }
    },
    watch: (api, slots) => {
      new Gauge({
        name: 'runtime_host_bots',
        help: 'Bots by state',
        labelNames: ['state'],
        registers,
        collect() {
          for (const [state, count] of Object.entries(api.status().bots)) this.set({ state }, count);
        },
      });
      new Gauge({
        name: 'runtime_host_queue_depth',
        help: 'Steps that wait for a slot',
        labelNames: ['slot'],
        registers,
        collect() {
          for (const slot of ['code', 'start', 'end'] as const) this.set({ slot }, slots.waiting(slot));
        },
      });
      new Gauge({
        name: 'runtime_host_answers',
        help: '1 while the other side answers',
        labelNames: ['side'],
        registers,
        collect() {
          const { engine, source, ownersProblem } = api.status();
          this.set({ side: 'engine' }, engine.answers ? 1 : 0);
          this.set({ side: 'source' }, source.answers ? 1 : 0);
          this.set({ side: 'owners' }, ownersProblem === undefined ? 1 : 0);
        },
      });
      new Gauge({
        name: 'runtime_host_bots_kept_back',
        help: 'Bots that are not run here: another host of the store has them (elsewhere), or it is asked (asking)',
        labelNames: ['why'],
        registers,
        collect() {
          const { heldElsewhere, askingStore } = api.status();
          this.set({ why: 'elsewhere' }, heldElsewhere);
          this.set({ why: 'asking' }, askingStore);
        },
      });
    },
  };
}
