import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type AgentChannel, AgentError } from '../../../src/agent/links/agentLink.ts';

const root = join(import.meta.dirname, '../../..');

export interface ChildChannel extends AgentChannel {
  readonly child: ChildProcess;
}

/** A program of Node's as an agent's process; its channel are stdin and stdout. Ended with the test. */
export function childChannel(argv: readonly string[], instance = 'life-1'): ChildChannel {
  const child = spawn(join(root, 'scripts/node'), argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const closed = new AbortController();
  const held: string[] = [];
  let take = (text: string): void => {
    held.push(text);
  };
  child.stdin.on('error', () => undefined);
  child.stdout.setEncoding('utf8').on('data', (text: string) => take(text));
  child.once('close', (code, signal) => {
    closed.abort(new AgentError('agent_died', `the agent ended (${signal ?? code})`));
  });
  return {
    child,
    instance,
    closed: closed.signal,
    write: (text) => {
      if (!child.stdin.writable) return false;
      child.stdin.write(text);
      return true;
    },
    listen: (listener) => {
      for (const text of held.splice(0)) listener(text);
      take = listener;
    },
  };
}
