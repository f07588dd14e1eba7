import { isatty } from 'node:tty';
import type { Command } from '../../base/command/command.ts';
import { exitOf, findingLine } from '../../base/finding.ts';
import { mergeSources } from '../../bot/config/mergeSources.ts';
import { readConfig } from '../../bot/config/readConfig.ts';
import { defaultNetworks } from '../engine/docker/networks/networkOptions.ts';
import { hostOptionSpecs, readHostOptions } from '../run/hostOptions.ts';

/** Milliseconds. */
const DOCTOR_MS = 60_000;

/** `runtime doctor --host`; without `--host` it is the operator's program that answers. */
export const doctor: Command = {
  name: 'doctor',
  summary: 'check everything that a host needs: engine, networks, store, limits',
  positionals: '',
  options: {
    host: { type: 'boolean', description: 'check what a host of many bots needs' },
    json: { type: 'boolean', description: 'print one JSON object' },
    ...hostOptionSpecs(),
  },
  run: async (invocation) => {
    const options = readHostOptions(invocation);
    const { env } = mergeSources({ env: invocation.env, flags: {} });
    const uid = process.getuid?.() ?? -1;
    const { examineHost } = await import('../doctor/examineHost.ts');
    const findings = await examineHost({
      config: () => readConfig(env, { role: 'operator', knownKinds: [], uid, isTTY: isatty(2) }),
      driver: options.driver,
      namespace: options.namespace,
      env,
      socket: env.DOCKER_HOST || undefined,
      networks: options.network ? { type: 'existing', name: options.network } : defaultNetworks,
      image: options.image,
      data: options.data,
      now: Date.now,
      signal: AbortSignal.timeout(DOCTOR_MS),
    });
    const exit = exitOf(findings);
    const { stdout, flags } = invocation;
    if (flags.json) stdout.write(`${JSON.stringify({ ok: exit === 0, exit, checks: findings })}\n`);
    else for (const finding of findings) stdout.write(findingLine(finding));
    return exit;
  },
};
