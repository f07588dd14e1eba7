import type { BotSpec } from './botSpec.ts';

/** The file of a specification: `readSpec` of it is the specification again. JSON, which is YAML as well. */
export function writeSpec(spec: BotSpec): string {
  const { entrypoints, schedule, resources, restart, code } = spec;
  const file = {
    name: spec.name,
    type: spec.type,
    runtime: spec.runtime,
    code: { file: code.file, sha256: code.sha256 },
    entrypoints: { ...entrypoints, bot: entrypoints.bot || undefined },
    agent: spec.agent,
    config: JSON.parse(spec.config),
    task: spec.task === undefined ? undefined : JSON.parse(spec.task),
    enabled: spec.enabled,
    schedule: schedule && {
      cron: schedule.cron,
      timeZone: schedule.timeZone,
      missed: schedule.missed,
      within: milliseconds(schedule.withinMs),
      overlap: schedule.overlap,
      spread: milliseconds(schedule.spreadMs),
      deadline: milliseconds(schedule.deadlineMs),
    },
    resources: {
      memory: String(resources.memoryBytes),
      cpu: `${resources.cpuMillis}m`,
      cpuLimit: resources.cpuLimit,
      pids: resources.pids,
      disk: String(resources.diskBytes),
    },
    restart: {
      policy: restart.policy,
      backoff: `${milliseconds(restart.firstMs)}..${milliseconds(restart.longestMs)}`,
      reset: milliseconds(restart.resetMs),
    },
    stop: { timeout: milliseconds(spec.stopTimeoutMs) },
    network: { egress: spec.egress },
    secrets: spec.secrets,
    env: spec.env,
    labels: spec.labels,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

const milliseconds = (ms: number | undefined) => (ms === undefined ? undefined : ms === 0 ? '0' : `${ms}ms`);
