import type { Registry } from 'prom-client';
import { Counter, Gauge, Histogram } from '../../base/parts/prometheus.ts';
import type { QueryOutcome } from '../../bot/answers/queryError.ts';

const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface GatewayMetrics {
  /** One query is over. `place`: the bot's own server, or a container made for it. */
  answered(place: 'bot' | 'worker' | 'none', outcome: QueryOutcome, seconds: number): void;
}

export function gatewayMetrics(
  registry: Registry,
  now: { inFlight(): number; workers(): number; waiting(): number },
): GatewayMetrics {
  const registers = [registry];
  const queries = new Counter({
    name: 'runtime_host_queries_total',
    help: 'Queries through the gateway, by where they were answered and how they ended.',
    labelNames: ['place', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'runtime_host_query_seconds',
    help: 'From the whole request to the whole answer, by where it was answered.',
    labelNames: ['place'],
    buckets: BUCKETS_S,
    registers,
  });
  new Gauge({
    name: 'runtime_host_queries_in_flight',
    help: 'Queries under way.',
    registers,
    collect() {
      this.set(now.inFlight());
    },
  });
  new Gauge({
    name: 'runtime_host_query_containers',
    help: 'Containers that answer for bots that do not run.',
    registers,
    collect() {
      this.set(now.workers());
    },
  });
  new Gauge({
    name: 'runtime_host_query_workers_waiting',
    help: 'Containers that wait for a bot that does not run.',
    registers,
    collect() {
      this.set(now.waiting());
    },
  });
  return {
    answered: (place, outcome, took) => {
      queries.inc({ place, outcome });
      seconds.observe({ place }, took);
    },
  };
}
