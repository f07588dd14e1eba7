import { isatty } from 'node:tty';
import { build } from './base/build.ts';
import { accidentalSignals, nameRealTimeSignals } from './base/signals.ts';

/**
 * One executable, several programs: the first word of the command line says which. Each is a bundle of its own
 * (`scripts/build.ts`), so that what runs in every container holds nothing of the others.
 */
const programs: Readonly<Record<string, 'agent' | 'query' | 'host' | 'protocols' | 'box'>> = {
  execute: 'agent',
  daemon: 'agent',
  'end-groups': 'agent',
  box: 'box',
  host: 'host',
  bots: 'host',
  provider: 'protocols',
  serve: 'protocols',
  'bot-runner': 'host',
  'bot-scheduler': 'host',
  'query-server': 'host',
  controller: 'host',
  gc: 'host',
};

/** The program that the command line names, from its start to the exit of this process. */
export function start(): void {
  // Without a listener Node opens a debugger (see processSelf.ts). The supervisor passes the signal on to the bot.
  process.on('SIGUSR1', () => undefined);
  // Not left to an empty event loop: a connection that is kept alive would hold the container open.
  void main().then((code) => process.exit(code));
}

async function main(): Promise<number> {
  const [word = '', ...others] = process.argv.slice(2);
  const program = programOf(word, others);
  if (program === 'agent' || program === 'query') {
    nameRealTimeSignals();
    // Whoever sends one of these loses nothing by it. Not at once: the start comes first.
    setImmediate(() => {
      for (const signal of accidentalSignals(isatty(0))) process.on(signal, () => undefined);
    });
    const agent = await (program === 'agent' ? import('./programs/agent.ts') : import('./programs/query.ts'));
    const code = await agent.run(process);
    if (code !== undefined) return code;
  }
  if (program === 'host') {
    const host = await import('./programs/host.ts');
    const code = await host.run(process);
    if (code !== undefined) return code;
  }
  if (program === 'protocols') {
    const protocols = await import('./programs/protocols.ts');
    const code = await protocols.run(process);
    if (code !== undefined) return code;
  }
  if (program === 'box') {
    const box = await import('./programs/box.ts');
    const code = await box.run(process);
    if (code !== undefined) return code;
  }
  const operator = await import('./programs/operator.ts');
  return await operator.run(process);
}

function programOf(word: string, others: readonly string[]): (typeof programs)[string] | undefined {
  if (word === 'doctor' && others.includes('--host')) return 'host';
  if (word === 'execute' && others.includes('--query-server-only')) return 'query';
  return programs[word];
}

// What is kept in a snapshot is started later (scripts/build.d/snapshot.ts).
if (!build.isSnapshot) start();
