import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { Clock } from '../../base/clock.ts';
import { quoteWord } from '../../base/quoteWord.ts';
import { killFamily, signalFamily } from '../commands/family.ts';
import type { RunningCommand } from '../commands/startCommand.ts';
import type { Starter } from '../commands/starter.ts';
import { BoxError } from '../http/boxError.ts';
import { forgetOldest } from '../output/forgetOldest.ts';
import type { LogSpace } from '../output/logSpace.ts';
import { OutputLog } from '../output/outputLog.ts';
import { textPieces } from '../output/textPieces.ts';
import { resizeDevice } from './resizeDevice.ts';
import type { OpenTerminal, TerminalSize, TerminalView } from './terminal.ts';

/** So many at a time, and so many that have ended. */
const MOST_TERMINALS = 32;
const MOST_ENDED = 32;
/** What a shell that reads nothing may have waiting for it, bytes. */
const MOST_WAITING_BYTES = 1024 * 1024;
/** What a terminal that is closed gets between SIGHUP and SIGKILL, milliseconds. */
const GRACE_MS = 500;

interface Kept {
  view: Omit<TerminalView, 'lastActivityAt'>;
  /** Milliseconds. */
  activeAt: number;
  readonly command: RunningCommand;
  readonly log: OutputLog;
}

export interface TerminalsOptions {
  readonly starter: Starter;
  readonly clock: Clock;
  readonly shell: string;
  readonly folder: string;
  readonly space: LogSpace;
}

/**
 * Shells on terminals of their own. Node cannot make a terminal: script(1) does, and passes on what comes and goes. The size is set
 * from outside by stty(1), by the name of the terminal, and the kernel tells whoever is in front.
 */
export class Terminals {
  readonly #options: TerminalsOptions;
  readonly #folder: string;
  readonly #all = new Map<string, Kept>();
  #count = 0;

  constructor(options: TerminalsOptions) {
    this.#options = options;
    this.#folder = mkdtempSync(join(options.folder, '.runtime-terminals-'));
  }

  async open({
    name,
    connectionId,
    command: line,
    cwd,
    env,
    cols,
    rows,
  }: OpenTerminal): Promise<TerminalView> {
    const running = this.list().filter(({ isRunning }) => isRunning).length;
    if (running >= MOST_TERMINALS) {
      const facts = { quotaType: 'terminals', current: running, limit: MOST_TERMINALS, retryAfter: 1 };
      throw new BoxError(
        429,
        'QUOTA_EXCEEDED',
        `${running} terminals are open, which is as many as may be`,
        facts,
      );
    }
    const { starter, clock, shell, space } = this.#options;
    const sessionId = `term_${randomBytes(12).toString('base64url')}`;
    const log = new OutputLog(join(this.#folder, sessionId), space);
    const decoder = new StringDecoder();
    let kept: Kept | undefined;
    const add = (text: string) => {
      for (const piece of textPieces(text))
        log.append('message', { type: 'data.stdout', properties: { text: piece } }, piece.length);
    };
    const words = line === undefined ? shell : `${shell} -c ${quoteWord(line)}`;
    const inner = `stty sane rows ${rows} cols ${cols}; exec ${words}`;
    const command = await starter
      .start({
        words: { argv: ['script', '-q', '-e', '-f', '-c', inner, '/dev/null'] },
        cwd,
        env: { TERM: 'xterm-256color', ...env, SHELL: shell },
        stdin: null,
        onOutput: (_output, bytes) => {
          if (kept !== undefined) kept.activeAt = clock.now();
          add(decoder.write(bytes));
        },
      })
      .catch((error: unknown) => {
        log.remove();
        const isMissing = error instanceof BoxError && error.status === 400;
        throw isMissing
          ? new BoxError(501, 'NOT_IMPLEMENTED', 'this image has no script(1), which makes terminals')
          : error;
      });
    const now = clock.now();
    this.#count += 1;
    const view = {
      sessionId,
      ...(connectionId !== undefined && { connectionId }),
      name: name ?? `shell-${this.#count}`,
      ...(line !== undefined && { command: line }),
      shell,
      cwd,
      isRunning: true,
      cols,
      rows,
      createdAt: new Date(now).toISOString(),
      streamUrl: `/terminals/${sessionId}/stream`,
    };
    const made: Kept = { view, activeAt: now, command, log };
    kept = made;
    this.#all.set(sessionId, made);
    void command.ended.then(({ code, signal }) => {
      add(decoder.end());
      const how = {
        ...(code !== null && { exitCode: code }),
        ...(signal !== null && { exitSignal: signal }),
      };
      made.view = { ...made.view, isRunning: false, ...how };
      log.finish('message', { type: 'terminal.exited', properties: { exitCode: code, signal } });
      forgetOldest(this.#all, MOST_ENDED);
    });
    return viewOf(made);
  }

  list(): readonly TerminalView[] {
    return [...this.#all.values()].map(viewOf);
  }

  get(id: string): TerminalView {
    return viewOf(this.#find(id));
  }

  /** By its own id, or as the last that was opened for this connection. */
  find(id: string): TerminalView | undefined {
    return this.#all.has(id) ? this.get(id) : this.list().findLast((each) => each.connectionId === id);
  }

  log(id: string): OutputLog {
    return this.#find(id).log;
  }

  /** As if it had been typed. */
  write(id: string, data: string | Buffer): void {
    const kept = this.#running(id);
    const { input } = kept.command;
    if (!input || input.writableLength > MOST_WAITING_BYTES) {
      throw new BoxError(429, 'QUOTA_EXCEEDED', 'the terminal does not read what it was sent before', {
        retryAfter: 1,
      });
    }
    kept.activeAt = this.#options.clock.now();
    input.write(data);
  }

  async resize(id: string, size: TerminalSize): Promise<TerminalView> {
    const kept = this.#running(id);
    await resizeDevice(kept.command.leader, size, this.#options.clock);
    kept.view = { ...kept.view, ...size };
    return viewOf(kept);
  }

  /** Ends all that runs on it, and forgets it. */
  async close(id: string): Promise<void> {
    const { command, log, view } = this.#find(id);
    const { clock } = this.#options;
    this.#all.delete(id);
    if (view.isRunning) {
      signalFamily(command, 'SIGHUP');
      await Promise.race([command.ended, clock.sleep(GRACE_MS)]);
      await killFamily(command, clock);
      await command.ended;
    }
    log.remove();
  }

  /** All of them. A shell on a terminal takes no SIGTERM. */
  async closeAll(): Promise<void> {
    await Promise.all([...this.#all.keys()].map((id) => this.close(id)));
  }

  end(): void {
    for (const { log } of this.#all.values()) log.remove();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #find(id: string): Kept {
    const kept = this.#all.get(id);
    if (kept) return kept;
    throw new BoxError(404, 'SESSION_NOT_FOUND', `there is no terminal ${id}`, {
      resourceType: 'terminal',
      resourceId: id,
    });
  }

  #running(id: string): Kept {
    const kept = this.#find(id);
    if (kept.view.isRunning) return kept;
    throw new BoxError(409, 'SESSION_NOT_RUNNING', 'the terminal has ended', {
      currentState: 'ended',
      requiredState: 'running',
    });
  }
}

const viewOf = ({ view, activeAt }: Kept): TerminalView => ({
  ...view,
  lastActivityAt: new Date(activeAt).toISOString(),
});
