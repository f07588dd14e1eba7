import { readFile } from 'node:fs/promises';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { QueryOutcome } from '../../../bot/answers/queryError.ts';
import type { PublishReport } from '../../../bot/state/publish/publishReport.ts';

/** Pids by the name that a process has in the metrics. */
export type ProcessIds = Readonly<Record<string, number | undefined>>;

/** What `/_runtime/metrics` says. */
export class QueryMetrics {
  readonly #registry = new Registry();
  readonly #queries = this.#counter('queries_total', 'Queries answered, by outcome.', ['outcome']);
  readonly #restarts = this.#counter(
    'query_program_restarts_total',
    'Times that the query program was started again.',
  );
  readonly #published = this.#gauge(
    'last_publish_timestamp_seconds',
    'When state was last published, Unix time.',
  );
  readonly #bytes = this.#gauge('last_publish_bytes', 'Size of the state last published.');
  readonly #uploaded = this.#gauge('last_publish_uploaded_bytes', 'What the last publish sent to the store.');
  readonly #duration = this.#gauge('last_publish_duration_seconds', 'How long the last publish took.');
  readonly #frozen = this.#gauge('last_publish_frozen_seconds', "How long it stopped the bot's processes.");
  readonly #frozenTotal = this.#counter(
    'frozen_seconds_total',
    "How long publishing stopped the bot's processes.",
  );
  readonly #failures = this.#counter(
    'sync_failures_total',
    'Looks after which state or logs could not be saved; each is tried again.',
  );
  readonly #logLag = this.#gauge('log_lag_seconds', 'Age of the oldest log line that is not shipped.');
  readonly #generation = this.#gauge('generation', "Generation of the bot's state (a count of instances).");
  readonly #resident = this.#gauge('process_resident_memory_bytes', 'Resident memory, by process.', [
    'process',
  ]);
  readonly #anonymous = this.#gauge('process_anonymous_memory_bytes', 'Anonymous memory, by process.', [
    'process',
  ]);
  readonly #latency: Histogram;

  constructor() {
    this.#latency = new Histogram({
      name: 'runtime_query_duration_seconds',
      help: 'Time from a whole request to its answer.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [this.#registry],
    });
  }

  /** `seconds` undefined: it was turned away before it was looked at. */
  query(outcome: QueryOutcome, seconds?: number): void {
    this.#queries.inc({ outcome });
    if (seconds !== undefined) this.#latency.observe(seconds);
  }

  restarted(): void {
    this.#restarts.inc();
  }

  published(report: PublishReport): void {
    this.#published.set(Date.parse(report.at) / 1000);
    this.#bytes.set(report.bytes);
    this.#uploaded.set(report.uploadedBytes);
    this.#duration.set(report.durationMs / 1000);
    this.#frozen.set(report.frozenMs / 1000);
    this.#frozenTotal.inc(report.frozenMs / 1000);
    this.#generation.set(report.generation);
  }

  syncFailed(): void {
    this.#failures.inc();
  }

  generation(generation: number): void {
    this.#generation.set(generation);
  }

  logLag(seconds: number): void {
    this.#logLag.set(seconds);
  }

  /** In Prometheus' text format. */
  async text(processes: ProcessIds): Promise<string> {
    this.#resident.reset();
    this.#anonymous.reset();
    for (const [process, pid] of Object.entries(processes)) {
      const memory = pid === undefined ? undefined : await readMemory(pid);
      if (memory === undefined) continue;
      this.#resident.set({ process }, memory.resident);
      this.#anonymous.set({ process }, memory.anonymous);
    }
    return this.#registry.metrics();
  }

  #counter(name: string, help: string, labelNames: string[] = []): Counter {
    return new Counter({ name: `runtime_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, labelNames: string[] = []): Gauge {
    return new Gauge({ name: `runtime_${name}`, help, labelNames, registers: [this.#registry] });
  }
}

/** In bytes. `status` is open to every user, where `smaps_rollup` of a protected process is not. */
async function readMemory(pid: number): Promise<{ resident: number; anonymous: number } | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  const memory = { resident: field('VmRSS'), anonymous: field('RssAnon') };
  return Number.isNaN(memory.resident) ? undefined : memory;
}
