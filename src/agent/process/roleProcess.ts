import { spawn } from 'node:child_process';
import { openChannel } from './channel.ts';

/** How a process of our own binary is started: in a single executable the path alone, from source with its file. */
export interface Self {
  readonly file: string;
  readonly args: readonly string[];
}

/** A child in one of our own roles, and the channel to it. */
export interface RoleProcess<Send> {
  readonly pid: number | undefined;
  /** False when the channel is closed; the message is then lost, and so is the process. `onItsWay` as `Channel.send`. */
  send(message: Send, onItsWay?: () => void): boolean;
  kill(signal: NodeJS.Signals): void;
}

export interface RoleOptions<Receive> {
  readonly role: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** More variables for the process itself. */
  readonly tuning?: Readonly<Record<string, string>> | undefined;
  readonly onMessage: (message: Receive) => void;
  /** Called once, after the last message. */
  readonly onExit: (code: number | null, signal: NodeJS.Signals | null) => void;
}

/**
 * Variables that steer the loader, Node itself, or the libraries in it. Set for a bot, they would run its code inside our processes,
 * which hold the credentials.
 */
const HOSTILE = /^(LD_|NODE_(?!EXTRA_CA_CERTS$)|OPENSSL_|GCONV_PATH$|DYLD_|MALLOC_|GLIBC_TUNABLES$)/;

/** What `cleanEnvironment` takes away: meant for the bot's programs, of which a role may start one. */
export function withheldEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => HOSTILE.test(name)));
}

export function cleanEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !HOSTILE.test(name)));
}

export function startRole<Send extends object, Receive extends object>(
  self: Self,
  options: RoleOptions<Receive>,
): RoleProcess<Send> {
  const child = spawn(self.file, [...self.args, ...options.role], {
    env: { ...cleanEnvironment(options.env), ...options.tuning },
    // Stdout is the bot's alone.
    stdio: ['ignore', 2, 2, 'ipc'],
    // A process group of its own: a Ctrl-C at the terminal is for the supervisor, which then tells it to finish.
    detached: true,
  });
  const { send } = openChannel<Send, Receive>(child, options.onMessage);
  let over = false;
  const end = (code: number | null, signal: NodeJS.Signals | null) => {
    if (over) return;
    over = true;
    options.onExit(code, signal);
  };
  child.on('error', () => end(null, null));
  child.on('close', end);
  return {
    get pid() {
      return child.pid;
    },
    // A process that could not be started has a channel all the same.
    send: (message, onItsWay) => {
      if (!over) return send(message, onItsWay);
      onItsWay?.();
      return false;
    },
    kill: (signal) => {
      child.kill(signal);
    },
  };
}
