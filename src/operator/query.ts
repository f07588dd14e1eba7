import type { Command, Invocation } from '../base/command/command.ts';
import { RuntimeError } from '../base/errors.ts';
import { parseExactJson } from '../base/exactJson.ts';

export const query: Command = {
  name: 'query',
  summary: 'ask a bot',
  positionals: 'URL|BOT PATH [K=V…]',
  options: {
    token: { type: 'string', value: 'TOKEN', description: 'QUERY_TOKEN of the bot asked (QUERY_TOKEN)' },
    timeout: {
      type: 'string',
      value: 'TIME',
      description: 'how long an answer may take (QUERY_TIMEOUT, 30s)',
    },
    json: { type: 'boolean', description: 'print the answer as it came, also on a terminal' },
  },
  details: [
    'URL asks a running bot: runtime query http://127.0.0.1:9476 /portfolio symbol=BTC limit=10',
    'or any bot of a host, whether it runs or not: runtime query http://127.0.0.1:9477/bots/my-bot /portfolio',
    'BOT answers here, from its saved state: the variables of the store, and RUNTIME, CODE_FILE, QUERY_ENTRYPOINT;',
    'or the directory of a bot that `runtime execute DIR` has run (./BOT where a store is configured).',
    'Values are strings, as in a query string; K:=V sends JSON: limit:=10, filter:={"a":1}.',
    '',
    'Exit codes: 0 for an answer that is ok, 1 for an error, 69 where nobody answers; for a BOT those of',
    '`runtime execute --query`: 65 damaged data, 66 no such code, 69 store unavailable, 143 stopped.',
  ].join('\n'),
  run: async (invocation) => {
    const [whom, path, ...pairs] = invocation.positionals;
    if (whom === undefined || path === undefined) {
      throw new RuntimeError('usage', 'query needs whom to ask and what: URL or BOT, and PATH', {
        hint: 'runtime query URL|BOT PATH [K=V…]',
      });
    }
    if (/^[^/]*:\d+/.test(whom)) {
      throw new RuntimeError('usage', `${JSON.stringify(whom)} is neither a URL nor a bot's id`, {
        hint: `did you mean http://${whom}?`,
      });
    }
    const question = { path: path.startsWith('/') ? path : `/${path}`, params: parsePairs(pairs) };
    const { printAnswer } = await import('./query/printAnswer.ts');
    const { bytes, exitCode } = /^https?:\/\//i.test(whom)
      ? await (await import('./query/askServer.ts')).askServer(whom, question, {
          token: text(invocation, 'token') ?? invocation.env.QUERY_TOKEN,
          timeoutMs: await timeoutMs(invocation),
        })
      : await (await import('./query/askHere.ts')).askHere(whom, question, invocation);
    const isPretty = invocation.stdout.isTTY === true && invocation.flags.json !== true;
    printAnswer(bytes, invocation.stdout, isPretty);
    return exitCode;
  },
};

/** `k=v` pairs as parameters; everything is a string, as in a query string. `k:=v` holds JSON. */
function parsePairs(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new RuntimeError('usage', `${pair} is not K=V`);
      if (pair[at - 1] !== ':') return [pair.slice(0, at), pair.slice(at + 1)];
      return [pair.slice(0, at - 1), parseJson(pair, pair.slice(at + 1))];
    }),
  );
}

function parseJson(pair: string, value: string): unknown {
  try {
    return parseExactJson(value);
  } catch (error) {
    throw new RuntimeError('usage', `${pair}: what comes after := is not JSON`, { cause: error });
  }
}

async function timeoutMs(invocation: Invocation): Promise<number> {
  const given = text(invocation, 'timeout') ?? invocation.env.QUERY_TIMEOUT;
  if (!given) return 30_000;
  const { duration } = await import('../bot/config/duration.ts');
  const parsed = duration.parse(given);
  if (parsed === undefined)
    throw new RuntimeError('usage', `--timeout ${given}: expected ${duration.expects}`);
  return parsed;
}

function text({ flags }: Invocation, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
