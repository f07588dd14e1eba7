import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { acpLink } from '../../../src/agent/links/acp/acpLink.ts';
import type { AgentLink, TurnEnd, TurnEvent } from '../../../src/agent/links/agentLink.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { AgentSpec } from '../../../src/bot/kinds/agentSpec.ts';
import { temporaryDirectory } from '../files/temporary.ts';
import { memoryLog } from '../memoryLog.ts';
import { childChannel } from './childChannel.ts';

export const sdkAgent = join(import.meta.dirname, 'sdkAgent.ts');
export const spec: AgentSpec = {
  protocol: 'acp',
  usage: 'turn',
  resume: undefined,
  permissions: 'reject',
  openai: undefined,
};
export const never = new AbortController().signal;
/** Ten seconds for what has one, however busy the machine is. */
export const patient = {
  ...systemClock,
  sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(10 * ms, signal),
};

interface Opened {
  readonly channel: ReturnType<typeof childChannel>;
  readonly link: AgentLink;
  readonly lines: string[];
  readonly say: (text: string, more?: SayOptions) => Promise<Said>;
}

interface SayOptions {
  readonly conversation?: string;
  readonly session?: string | undefined;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TurnEvent) => void;
}

interface Said {
  readonly end: TurnEnd;
  readonly events: TurnEvent[];
  readonly reply: string;
}

/** A link over ACP to the program `argv`; `say` asks it a turn and waits for the end. */
export function openAcp(
  argv: readonly string[],
  changes: Partial<AgentSpec> = {},
  instance = 'life-1',
  clock = systemClock,
): Opened {
  const channel = childChannel(argv, instance);
  const { log, lines } = memoryLog();
  const link = acpLink({
    channel,
    clock,
    log,
    spec: { ...spec, ...changes },
    kind: 'my-kind',
    cwd: '/',
  });
  let turns = 0;
  const say: Opened['say'] = async (text, { conversation = 'c', session, signal = never, onEvent } = {}) => {
    const events: TurnEvent[] = [];
    turns += 1;
    const end = await link.send(
      { id: `msg_${turns}`, conversation, session, message: [{ type: 'text', text }], metadata: {} },
      (event) => {
        events.push(event);
        onEvent?.(event);
      },
      signal,
    );
    return { end, events, reply: replyOf(events) };
  };
  return { channel, link, lines, say };
}

export function replyOf(events: readonly TurnEvent[]): string {
  return events.map((event) => (event.type === 'delta' ? event.text : '')).join('');
}

/** An agent that answers `initialize` and `session/new` well, and does `code` with a prompt: `id` is its id, `out` writes a line. */
export async function rogueAcp(code: string): Promise<string[]> {
  const file = join(await temporaryDirectory(), 'rogue.cjs');
  await writeFile(
    file,
    `const out = (value) => process.stdout.write((typeof value === 'string' ? value : JSON.stringify({ jsonrpc: '2.0', ...value })) + '\\n');
const say = (text) => out({ method: 'session/update', params: { sessionId: 's', update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } } } });
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') out({ id, result: { protocolVersion: 1 } });
  if (method === 'session/new') out({ id, result: { sessionId: 's' } });
  if (method === 'session/prompt') { ${code} }
});`,
  );
  return [file];
}
