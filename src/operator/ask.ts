import { systemClock } from '../base/clock.ts';
import type { Command } from '../base/command/command.ts';
import { RuntimeError } from '../base/errors.ts';

export const ask: Command = {
  name: 'ask',
  summary: 'talk to an agent',
  positionals: 'URL|BOT [TEXT]',
  options: {
    conversation: { type: 'string', short: 'c', value: 'ID', description: 'go on with this conversation' },
    json: { type: 'boolean', description: 'print a JSON object for each event' },
  },
  details: [
    'URL is that of the port of an agent, or of its path on a host; BOT the directory of one that `runtime execute DIR` runs',
    'now, or the id of one on the host of this machine (RUNTIME_HOST_URL, http://127.0.0.1:9477). A name that is both is the',
    'directory, and where MINIO_ENDPOINT or STORE_URL is set the id; ./NAME is always the directory.',
    'Without TEXT, a message a line on a terminal, in one conversation, until Ctrl-D; else all of stdin is one message.',
    'Ctrl-C cancels the turn under way. AGENT_TOKEN, else QUERY_TOKEN, is the token.',
    '',
    'Exit codes: 0 the agent has answered, 1 the turn failed, 69 nobody answers or the token is wrong, 130 cancelled.',
  ].join('\n'),
  run: async (invocation) => {
    const { positionals, flags, env } = invocation;
    const [whom, text] = positionals;
    if (whom === undefined) {
      throw new RuntimeError('usage', 'ask needs whom to ask: URL or BOT', {
        hint: 'runtime ask URL|BOT "TEXT"',
      });
    }
    const { agentAddress } = await import('./ask/agentAddress.ts');
    const { agentClient } = await import('./ask/agentClient.ts');
    const { converse } = await import('./ask/converse.ts');
    const address = agentAddress(whom, invocation);
    const client = agentClient({ address, token: env.AGENT_TOKEN || env.QUERY_TOKEN, clock: systemClock });
    const conversation = typeof flags.conversation === 'string' ? flags.conversation : undefined;
    return await converse({ client, invocation, conversation, json: flags.json === true }, text);
  },
};
