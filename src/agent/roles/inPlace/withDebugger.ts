import { RuntimeError } from '../../../base/errors.ts';
import { integer } from '../../../bot/config/parser.ts';
import type { Launch } from '../../../bot/kinds/kind.ts';
import { withMiddleware } from '../../../bot/kinds/middleware.ts';
import type { LoadedBot } from '../loadBot.ts';

const port = integer(1, 65_535);

/**
 * The bot, its program under a debugger: Node's own, or debugpy, which has to be installed where its Python finds it. Only the
 * bot: its query program is another process, which would ask for the same port. Throws `usage` where the kind is of another language.
 */
export function withDebugger(
  bot: LoadedBot,
  { inspect, debugpy }: { readonly inspect: unknown; readonly debugpy: unknown },
): LoadedBot {
  const options = optionsOf(inspect, debugpy);
  if (options === undefined) return bot;
  const kind = withMiddleware(bot.kinds.get(bot.config.kind), [
    {
      launch: async (request, next) => {
        const launch = await next(request);
        return request.role === 'bot' ? debugged(launch, options, bot.config.kind) : launch;
      },
    },
  ]);
  return { ...bot, kinds: { ...bot.kinds, get: () => kind } };
}

interface Options {
  readonly flag: string;
  readonly interpreter: RegExp;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

function optionsOf(inspect: unknown, debugpy: unknown): Options | undefined {
  if (inspect && debugpy !== undefined) {
    throw new RuntimeError('usage', '--inspect is for Node, --debugpy for Python: a bot is one of them');
  }
  if (inspect) {
    return { flag: '--inspect', interpreter: /^node$/, words: ['--inspect=127.0.0.1:9229'], env: {} };
  }
  if (typeof debugpy !== 'string') return undefined;
  const number = port.parse(debugpy);
  if (number === undefined) {
    throw new RuntimeError('usage', `--debugpy ${debugpy}: expected ${port.expects}`);
  }
  return {
    flag: '--debugpy',
    interpreter: /^python3[.\d]*$/,
    words: ['-Xfrozen_modules=off', '-m', 'debugpy', '--listen', `127.0.0.1:${number}`],
    env: { PYDEVD_DISABLE_FILE_VALIDATION: '1' },
  };
}

function debugged(launch: Launch, { flag, interpreter, words, env }: Options, kind: string): Launch {
  const at = launch.wrapped ?? 0;
  const command = launch.argv[at] ?? '';
  if (!interpreter.test(command)) {
    throw new RuntimeError('usage', `${flag} does not go with the kind ${kind}`, {
      hint: '--inspect is for Node bots, --debugpy PORT for Python bots.',
    });
  }
  const argv = [...launch.argv.slice(0, at + 1), ...words, ...launch.argv.slice(at + 1)];
  return { ...launch, argv, env: { ...launch.env, ...env } };
}
