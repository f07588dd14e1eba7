/** What the daemon of an agent does with its usage. A part: few bots are agents. */
export { createUsageShipper } from '../shipUsage.ts';
export { startTelemetry } from '../telemetry/telemetry.ts';
