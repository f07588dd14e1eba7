import { isatty } from 'node:tty';
import { build } from './base/build.ts';
import { accidentalSignals, nameRealTimeSignals } from './base/signals.ts';

/**
 * One executable, several programs: the first word of the command line says which. Each is a bundle of its own
 * (`scripts/build.ts`), so that what runs in every container holds nothing of the others.
 */
const programs = {
  agent: () => import('./programs/agent.ts'),
  query: () => import('./programs/query.ts'),
  host: () => import('./programs/host.ts'),
  protocols: () => import('./programs/protocols.ts'),
  box: () => import('./programs/box.ts'),
};

type Program = keyof typeof programs;

const firstWords: ReadonlyMap<string, Program> = new Map([
  ['execute', 'agent'],
  ['daemon', 'agent'],
  ['end-groups', 'agent'],
  ['box', 'box'],
  ['host', 'host'],
  ['bots', 'host'],
  ['bot-runner', 'host'],
  ['bot-scheduler', 'host'],
  ['query-server', 'host'],
  ['controller', 'host'],
  ['gc', 'host'],
  ['serve', 'protocols'],
  ['provider', 'protocols'],
]);

/** The program that the command line names, from its start to the exit of this process. */
export function start(): void {
  // Without a listener Node opens a debugger (see processSelf.ts). The supervisor passes the signal on to the bot.
  process.on('SIGUSR1', () => undefined);
  // Not left to an empty event loop: a connection that is kept alive would hold the container open.
  void main().then((code) => process.exit(code));
}

async function main(): Promise<number> {
  const [word = '', ...others] = process.argv.slice(2);
  const name = programOf(word, others);
  if (name === 'agent' || name === 'query') surviveSignals();
  if (name !== undefined) {
    const program = await programs[name]();
    const code = await program.run(process);
    if (code !== undefined) return code;
  }
  // What people type, and whatever another program leaves to be explained.
  const operator = await import('./programs/operator.ts');
  return await operator.run(process);
}

function programOf(word: string, others: readonly string[]): Program | undefined {
  if (word === 'doctor' && others.includes('--host')) return 'host';
  if (word === 'execute' && others.includes('--query-server-only')) return 'query';
  return firstWords.get(word);
}

/** Whoever sends one of these to what runs in a container loses nothing by it. Not at once: the start comes first. */
function surviveSignals(): void {
  nameRealTimeSignals();
  setImmediate(() => {
    for (const signal of accidentalSignals(isatty(0))) process.on(signal, () => undefined);
  });
}

// What is kept in a snapshot is started later (scripts/build.d/snapshot.ts).
if (!build.isSnapshot) start();
