import { randomUUID } from 'node:crypto';
import { closeSync } from 'node:fs';
import { asRuntimeError } from '../../../base/errors.ts';
import { whenAborted } from '../../../base/whenAborted.ts';
import type { AgentEndpoint } from '../../../bot/kinds/agentSpec.ts';
import type { Launch } from '../../../bot/kinds/kind.ts';
import type { AgentProcess, RestartReport, ToAgentServer } from '../../process/agentMessages.ts';
import { newEndpoint } from '../../process/newEndpoint.ts';
import type { ProgramEnd } from '../../process/startProgram.ts';
import { withBytes } from '../../process/withBytes.ts';
import type { OutputPipes } from '../capture/outputPipes.ts';
import type { Guard } from '../guard/guard.ts';
import { endLeftovers, stopBot } from '../stop/stopBot.ts';
import type { AgentHelpers, AgentKeeper, Tell } from './agentKeeper.ts';
import { createSayings } from './agentSayings.ts';
import { type BotProcess, startBot } from './botProcess.ts';
import type { Life } from './life.ts';

/** The time that an agent gets to stop where its kind names no other, seconds. */
const STOP_SECONDS = 10;
/** How long the end of the container waits until the outcome of the turns is kept, milliseconds. */
const SETTLE_MS = 2000;

/** An agent's process. `restart` in the protocol of agents replaces it by another one, and the life goes on. */
export interface KeptAgent extends BotProcess {
  readonly agent: AgentKeeper;
}

export interface KeepAgentOptions {
  readonly life: Life;
  readonly guard: Guard;
  readonly pipes: OutputPipes | undefined;
  readonly launch: Launch;
  /** Where the process listens. */
  readonly endpoint: AgentEndpoint | undefined;
}

export function keepAgent({ life, guard, pipes, launch: first, ...options }: KeepAgentOptions): KeptAgent {
  const { config, kind, clock, log } = life;
  const ended = Promise.withResolvers<ProgramEnd>();
  const settled = Promise.withResolvers<void>();
  const sayings = createSayings();
  let tell: Tell = () => false;
  let helpers: () => AgentHelpers = () => ({});
  let isRestarting = false;
  let isOver = false;
  let restart: RestartReport | undefined;
  let process: AgentProcess | undefined;
  let { endpoint } = options;

  const start = (launch: Launch): BotProcess => {
    const bot = startBot({
      launch,
      env: life.botEnvironment(launch),
      user: config.user,
      pipes,
      keepsPipes: true,
    });
    void bot.ended.then((end) => {
      if (bot === current && !isRestarting) finish(end);
    });
    sayings.from(bot.channel);
    return bot;
  };
  const finish = (end: ProgramEnd) => {
    isOver = true;
    process = undefined;
    // These were the last ends of the pipes that could still be written to.
    if (first.channel !== 'stdio') pipes?.stdout.release();
    pipes?.stderr.release();
    ended.resolve(end);
  };
  const run = () => {
    current.go();
    process = {
      instance: `ins_${randomUUID()}`,
      startedAt: new Date(clock.now()).toISOString(),
      endpoint,
    };
  };
  const greeting = (): ToAgentServer => ({ type: 'agent', life: process, restart });
  const report = (change: Partial<RestartReport>) => {
    restart = { ...(restart as RestartReport), ...change };
    tell({ type: 'restart-report', report: restart });
  };

  const restartAgent = async (save: 'required' | 'try') => {
    isRestarting = true;
    const old = current;
    await stop(old);
    process = undefined;
    report({ phase: 'saving' });
    const { reason, sequence } = await saved();
    const stateSaved = reason === undefined;
    if (!stateSaved) log.error(`the state is not saved before a restart of the agent: ${reason}`);
    const outcome = {
      stateSaved,
      ...(stateSaved ? { snapshot: String(sequence) } : {}),
      ...(stateSaved || save === 'try' ? {} : { error: `the state was not saved: ${reason}` }),
    };
    report({ phase: 'starting', ...outcome });
    // The end of the container, asked for meanwhile, waits for the old process's end.
    if (life.stop.requested.aborted || life.fenced.aborted) return finish(await old.ended);
    await startAgain(old);
    report({ phase: 'started', ...outcome });
  };

  const stop = async (bot: BotProcess) => {
    const graceMs = (kind.stopSeconds ?? STOP_SECONDS) * 1000;
    const hurried = AbortSignal.any([life.stop.hurried, life.fenced]);
    const graceEndsAt = clock.elapsed() + graceMs;
    await stopBot(bot, { graceEndsAt, syncEndsAt: graceEndsAt }, { clock, hurried });
    const others = () => {
      const { daemon, query } = helpers();
      return [daemon?.pid, query?.pid, guard.pid].filter((pid) => pid !== undefined);
    };
    await endLeftovers(bot, others, { clock, hurried });
    guard.remove(bot.pid);
  };

  const saved = async () => {
    const { daemon } = helpers();
    if (!daemon)
      return { sequence: 0, reason: 'a sidecar saves the state of this bot, when it finds it changed' };
    const given = whenAborted(AbortSignal.any([life.stop.requested, life.fenced]));
    return await Promise.race([
      daemon.save(),
      given.then(() => ({ sequence: 0, reason: 'the container was stopped meanwhile' })),
    ]);
  };

  const startAgain = async (old: BotProcess) => {
    endpoint = await newEndpoint(kind.agent);
    const plain = await kind.launch({ ...life.request, ...(endpoint && { endpoint }) });
    const launch = { ...plain, argv: await withBytes(plain.argv, life.botEnvironment(plain)) };
    // Only once the new process runs: until then the old process's end is the life's end.
    const next = start(launch);
    current = next;
    isRestarting = false;
    guard.add(next.pid);
    // Without FIFOs each process has pipes of its own.
    if (!pipes) life.adopt({ ...kept, stdout: next.stdout, stderr: next.stderr });
    run();
    helpers().daemon?.tellGroup();
    life.relay.emit('bot.started', { pid: next.pid });
    tell(greeting());
    log.info('the agent was restarted', { before: old.pid, after: next.pid });
  };

  let current = start(first);
  if (first.channel === 'stdio' && pipes) {
    // The stdout of an agent is its channel, not output.
    pipes.stdout.release();
    closeSync(pipes.stdout.reader);
  }

  const kept: KeptAgent = {
    get pid() {
      return current.pid;
    },
    stdout: current.stdout,
    stderr: current.stderr,
    channel: undefined,
    go: run,
    signal: (signal) => current.signal(signal),
    outputEnded: () => current.outputEnded(),
    ended: ended.promise,
    agent: {
      connect: (to, as) => {
        tell = to;
        helpers = as;
        sayings.to((text, onItsWay) => void to({ type: 'said', text }, onItsWay));
      },
      greeting,
      take: (message) => {
        if (message.type === 'say') sayings.say(message.text);
        else if (message.type === 'settled') settled.resolve();
        else if (!isRestarting && !isOver && restart?.id !== message.id) {
          restart = { id: message.id, phase: 'stopping' };
          report({});
          restartAgent(message.save).catch((error: unknown) => {
            const { message: why } = asRuntimeError(error);
            log.error(`the agent could not be restarted: ${why}`);
            report({ phase: 'started', error: why });
            void current.ended.then(finish);
          });
        }
      },
      stopping: () => void tell({ type: 'agent-stopping' }),
      settle: async (how) => {
        if (!tell({ type: 'agent-ended', how })) return;
        await Promise.race([settled.promise, clock.sleep(SETTLE_MS)]);
      },
    },
  };
  return kept;
}
