import type { Clock } from '../../../base/clock.ts';
import type { Logger } from '../../../base/log.ts';
import { signalProcess } from '../../../base/process/signalProcess.ts';
import type { RuntimeEvent } from '../../../bot/events/event.ts';
import {
  type FromQueryServer,
  PROGRAM_BYTES,
  PROGRAM_ENV,
  type ToQueryServer,
} from '../../process/messages.ts';
import { type Self, withheldEnvironment } from '../../process/roleProcess.ts';
import { notText } from '../../process/withBytes.ts';
import type { Guard } from '../guard/guard.ts';
import { guardCurrent } from '../guard/guardCurrent.ts';
import type { AgentKeeper } from './agentKeeper.ts';
import { keepRole } from './keepRole.ts';

export interface QueryLinkOptions {
  readonly self: Self;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The first messages to a server that starts or starts again: what has happened so far. */
  readonly catchUp: () => readonly ToQueryServer[];
  readonly onEvent: (event: RuntimeEvent) => void;
  readonly onPublish: (id: string) => void;
  /** Ends the query program when the supervisor dies. */
  readonly guard: Guard;
  readonly agent: AgentKeeper | undefined;
}

export interface QueryLink {
  readonly pid: number | undefined;
  /** Sends like `RoleProcess.send`. */
  tell(message: ToQueryServer, onItsWay?: () => void): boolean;
  /** Ends server and query program. The process ends by itself, at the latest with the supervisor. */
  stop(): void;
}

/** The query server as the supervisor sees it: one that dies is started again, and told what has happened. */
export function linkQueryServer(options: QueryLinkOptions): QueryLink {
  let program: number | undefined;
  const guardProgram = guardCurrent(options.guard);
  const runs = (pid: number | undefined) => {
    program = pid;
    guardProgram(pid);
  };
  const server = keepRole<ToQueryServer, FromQueryServer>({
    ...options,
    role: ['execute', '--query-server-only'],
    // They are for the query program; the server itself must not see them.
    tuning: {
      [PROGRAM_ENV]: JSON.stringify(withheldEnvironment(options.env)),
      [PROGRAM_BYTES]: notText(options.env)
        .map((bytes) => bytes.toString('hex'))
        .join(),
    },
    greet: options.catchUp,
    onMessage: (message) => {
      if (message.type === 'ready') server.forgive();
      else if (message.type === 'program') runs(message.pid);
      else if (message.type === 'event') options.onEvent(message.event);
      else if (message.type === 'publish') options.onPublish(message.id);
      else options.agent?.take(message);
    },
    onDeath: () => {
      // A server that is killed cannot end its program, and the program would keep the port and the state's files.
      if (program !== undefined) signalProcess(-program, 'SIGKILL');
      runs(undefined);
      return true;
    },
  });
  return {
    get pid() {
      return server.pid;
    },
    tell: (message, onItsWay) => server.send(message, onItsWay),
    stop: () => {
      server.release();
      if (!server.send({ type: 'stop' })) server.kill('SIGTERM');
    },
  };
}
