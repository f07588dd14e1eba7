import { executeOptions } from '../agent/roles/executeOptions.ts';
import { readSources } from '../agent/roles/inPlace/readSources.ts';
import { type LoadedBot, loadBot } from '../agent/roles/loadBot.ts';
import { systemClock } from '../base/clock.ts';
import type { Command, Invocation } from '../base/command/command.ts';
import { isRuntimeError, RuntimeError } from '../base/errors.ts';
import { exitOf, type Finding, fail, findingLine, ok } from '../base/finding.ts';
import { configOptions } from '../bot/config/configOptions.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'check everything that a start needs: configuration, store, paths, kind, ports',
  positionals: '[DIR]',
  options: {
    host: {
      type: 'boolean',
      description:
        'check what a host of many bots needs instead: engine, limits, store; takes the options of `runtime host`, as `--driver`',
    },
    json: { type: 'boolean', description: 'print one JSON object' },
    'env-file': executeOptions['env-file']!,
    config: executeOptions.config!,
    ...configOptions(),
  },
  details: [
    'Reads the configuration as `runtime execute [DIR]` does, and writes nothing but a probe that it removes again.',
    'One line per check: ok, warn (a start works, with less than could be) or fail, and what to do.',
    'Exits 0 when nothing fails, else with the code that the start would have had.',
  ].join('\n'),
  run: async (invocation) => {
    const findings = await diagnose(invocation);
    const exit = exitOf(findings);
    const { stdout, flags } = invocation;
    if (flags.json) stdout.write(`${JSON.stringify({ ok: exit === 0, exit, checks: findings })}\n`);
    else for (const finding of findings) stdout.write(findingLine(finding));
    return exit;
  },
};

async function diagnose(invocation: Invocation): Promise<readonly Finding[]> {
  const { flags, positionals } = invocation;
  const flag = ['env-file', 'config'].find((name) => flags[name] !== undefined);
  if (flag !== undefined && positionals.length === 0) {
    throw new RuntimeError('usage', `--${flag} needs a DIR`, { hint: 'runtime doctor DIR' });
  }
  const bot = await load(invocation);
  if ('status' in bot) return [bot];
  const { config, kinds, env } = bot;
  const [{ examine }, { openStores }] = await Promise.all([
    import('../agent/doctor/examine.ts'),
    import('../store/openStores.ts'),
  ]);
  const stores = openStores(config, { clock: systemClock, random: Math.random });
  try {
    const { now } = systemClock;
    const uid = process.getuid?.() ?? -1;
    const inPlace = invocation.positionals.length > 0;
    const findings = await examine({
      config,
      kind: kinds.get(config.kind),
      env,
      stores,
      uid,
      inPlace,
      now,
    });
    return [ok('configuration', `${config.botId}, a ${config.botType} ${config.kind} bot`), ...findings];
  } finally {
    await stores.close();
  }
}

async function load(invocation: Invocation): Promise<LoadedBot | Finding> {
  try {
    const [dir] = invocation.positionals;
    const { invocation: read, warnings } =
      dir === undefined ? { invocation, warnings: [] } : readSources(invocation, [], dir);
    return await loadBot(read, { role: 'execute', speaker: 'doctor', dir, warnings });
  } catch (error) {
    if (!isRuntimeError(error)) throw error;
    return fail('configuration', error);
  }
}
