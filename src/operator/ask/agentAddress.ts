import { resolve } from 'node:path';
import type { Invocation } from '../../base/command/command.ts';
import { RuntimeError, systemCode } from '../../base/errors.ts';
import { readServedPort } from '../../bot/answers/servedPort.ts';
import { botId } from '../../bot/config/parsers.ts';
import { localDirectory } from '../localDirectory.ts';

const HOST = 'http://127.0.0.1:9477';

/**
 * Where an agent is asked: a URL of its port or of a host, the directory of one that `runtime execute DIR` runs now, or the id of
 * one that the host on this machine, or at RUNTIME_HOST_URL, runs.
 */
export function agentAddress(whom: string, invocation: Pick<Invocation, 'cwd' | 'env' | 'flags'>): string {
  if (/^https?:\/\//i.test(whom)) return fromUrl(whom);
  if (/^[^/]*:\d+/.test(whom)) {
    throw new RuntimeError('usage', `${JSON.stringify(whom)} is neither a URL nor a bot's id`, {
      hint: `did you mean http://${whom}?`,
    });
  }
  const { cwd, env } = invocation;
  const directory = localDirectory(whom, invocation);
  if (directory !== undefined) return fromUrl(`http://127.0.0.1:${portOf(directory, cwd)}`);
  if (botId.parse(whom) === undefined) {
    throw new RuntimeError('usage', `${JSON.stringify(whom)} is no bot's id: expected ${botId.expects}`, {
      hint: 'A directory is one that `runtime execute DIR` has run.',
    });
  }
  return `${(env.RUNTIME_HOST_URL || HOST).replace(/\/+$/, '')}/v1/instances/${encodeURIComponent(whom)}`;
}

/** Nobody is asked in the place of a bot that does not run: its port may be another's by now. */
function portOf(directory: string, cwd: string): number {
  const served = readServedPort(resolve(cwd, directory));
  if (served !== undefined && (served.pid === 0 || isAlive(served.pid))) return served.port;
  throw new RuntimeError('unavailable', `the bot in ${directory} does not run, or answers no messages`, {
    op: 'agent.ask',
    path: directory,
    hint: `runtime execute ${directory} runs it.`,
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's.
    return systemCode(error) === 'EPERM';
  }
}

function fromUrl(text: string): string {
  const url = URL.parse(text);
  if (!url) throw new RuntimeError('usage', `${text} is not a URL`);
  const path = url.pathname.replace(/\/+$/, '');
  const isAgent = /\/_runtime\/agent$|\/v1\/instances\/[^/]+$/.test(path);
  return `${url.origin}${path}${isAgent ? '' : '/_runtime/agent'}`;
}
