/** Prometheus' client, and what is counted with it: for processes that answer queries. */
export { QueryMetrics } from '../server/metrics.ts';
