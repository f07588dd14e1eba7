/**
 * A stand-in for an agent that exists already, written with ACP's own SDK, so that what speaks to it is not tested against itself:
 * `sdkAgent.ts [--no-resume] [--images] [--state FILE]`. What it does is in the message: a word, then its arguments.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { parseArgs } from 'node:util';
import {
  agent,
  methods,
  ndJsonStream,
  type PromptResponse,
  type SessionUpdate,
} from '@agentclientprotocol/sdk/unstable';

const { values: flags } = parseArgs({
  options: {
    'no-resume': { type: 'boolean' },
    images: { type: 'boolean' },
    state: { type: 'string' },
  },
});

/** What was said in each session; kept where there is a file. */
const said: Record<string, string[]> = load();
if (flags.state !== undefined) mkdirSync(dirname(flags.state), { recursive: true });
const used: Record<string, number> = {};
const cancelled = new Map<string, AbortController>();

function load(): Record<string, string[]> {
  return flags.state !== undefined && existsSync(flags.state)
    ? JSON.parse(readFileSync(flags.state, 'utf8'))
    : {};
}

const app = agent({ name: 'stand-in' })
  .onRequest(methods.agent.initialize, () => ({
    protocolVersion: 1,
    agentInfo: { name: 'stand-in', version: '1.2.3' },
    agentCapabilities: {
      promptCapabilities: { image: flags.images === true },
      ...(flags['no-resume'] ? {} : { sessionCapabilities: { resume: {} } }),
    },
  }))
  .onRequest(methods.agent.session.new, () => {
    const sessionId = `session-${Object.keys(said).length + 1}`;
    said[sessionId] = [];
    return { sessionId };
  })
  .onRequest(methods.agent.session.resume, async ({ params, client }) => {
    if (!said[params.sessionId]) throw new Error('no such session');
    // As Hermes does: what was said is told again, outside of any turn.
    for (const text of said[params.sessionId] ?? [])
      await client.notify(methods.client.session.update, {
        sessionId: params.sessionId,
        update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } },
      });
    return {};
  })
  .onNotification(methods.agent.session.cancel, ({ params }) => {
    cancelled.get(params.sessionId)?.abort();
  })
  .onRequest(methods.agent.session.prompt, async ({ params, client }): Promise<PromptResponse> => {
    const { sessionId, prompt } = params;
    const text = prompt.map((block) => (block.type === 'text' ? block.text : `[${block.type}]`)).join('');
    const [word = '', ...args] = text.split(' ');
    const update = (update: SessionUpdate) =>
      client.notify(methods.client.session.update, { sessionId, update });
    const say = (text: string) =>
      update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } });
    const stop = new AbortController();
    cancelled.set(sessionId, stop);
    said[sessionId]?.push(text);
    if (flags.state !== undefined) writeFileSync(flags.state, JSON.stringify(said));
    used[sessionId] = (used[sessionId] ?? 0) + 10;
    const usage = {
      inputTokens: used[sessionId],
      outputTokens: 4,
      totalTokens: used[sessionId] + 4,
      cachedReadTokens: 3,
    };
    switch (word) {
      case 'say': {
        const words = (said[sessionId] ?? []).flatMap((line) => /\bsay (\w+)/.exec(line)?.slice(1) ?? []);
        await say('I heard');
        for (const word of words) await say(` ${word}`);
        break;
      }
      case 'history':
        await say((said[sessionId] ?? []).join('|'));
        break;
      case 'late':
        setTimeout(() => void say(' and the last words'), 5);
        await say('first');
        break;
      case 'after':
        setTimeout(() => void say('much too late'), 300);
        await say('in time');
        break;
      case 'ask': {
        const { outcome } = await client.request(methods.client.session.requestPermission, {
          sessionId,
          toolCall: { toolCallId: 't1' },
          options: [
            { optionId: 'yes', name: 'Yes', kind: 'allow_once' },
            { optionId: 'never', name: 'Never', kind: 'reject_always' },
            { optionId: 'no', name: 'No', kind: 'reject_once' },
          ],
        });
        await say(outcome.outcome === 'selected' ? outcome.optionId : outcome.outcome);
        break;
      }
      case 'read':
        await client.request(methods.client.fs.readTextFile, { sessionId, path: '/etc/passwd' }).then(
          ({ content }) => say(content),
          (error: Error) => say(`refused: ${error.message}`),
        );
        break;
      case 'tool':
        await update({ sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: 'hm' } });
        await update({
          sessionUpdate: 'tool_call',
          toolCallId: 't1',
          title: 'Search',
          status: 'in_progress',
        });
        await update({ sessionUpdate: 'tool_call_update', toolCallId: 't1', status: 'completed' });
        await say('found');
        break;
      case 'count':
        for (let i = 1; !stop.signal.aborted; i++) {
          await say(`${i} `);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return { stopReason: 'cancelled' };
      case 'cancelled':
        await say([...cancelled].flatMap(([id, { signal }]) => (signal.aborted ? [id] : [])).join());
        break;
      case 'hang':
        await say('begun');
        await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
        return { stopReason: 'cancelled' };
      case 'deaf':
        await new Promise(() => setTimeout(() => undefined, 2 ** 30));
        break;
      case 'refuse':
        if (args[0]) await say(args[0]);
        return { stopReason: 'refusal' };
      case 'fail':
        throw new Error('out of credit');
      case 'die':
        await say('last');
        process.kill(process.pid, 'SIGKILL');
        break;
      default:
        await say(`you said ${text}`);
    }
    return { stopReason: 'end_turn', usage };
  });

await app.connect(
  ndJsonStream(
    Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
    Readable.toWeb(process.stdin) as unknown as ReadableStream<Uint8Array>,
  ),
).closed;
