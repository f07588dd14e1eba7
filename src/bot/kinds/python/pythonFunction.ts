import { RuntimeError } from '../../../base/errors.ts';
import type { Kind } from '../kind.ts';
import { pythonLaunch, pythonSources } from './pythonLaunch.ts';

/** `pkg.mod:fn`, `pkg.mod:Class.fn`, `pkg.mod.fn`. Not a constant: making it takes 1 ms, of every start of any kind. */
const functionName = () =>
  /^[\p{L}_][\p{L}\p{N}_]*([.][\p{L}_][\p{L}\p{N}_]*)*[.:][\p{L}_][\p{L}\p{N}_]*([.][\p{L}_][\p{L}\p{N}_]*)*$/u;

export const pythonFunction: Kind = {
  id: 'python-function',
  aliases: [],
  displayName: 'Python function',
  description: 'A function (pkg.mod:fn or pkg.mod.fn), called by parameter names.',
  status: 'stable',
  footprint: '21 MB in the image, 4 MiB at rest',
  source: ['src/bot/kinds/python/pythonFunction.ts', ...pythonSources],
  entrypoint: 'text',
  startsEarly: true,
  async launch(request) {
    const name = request.entrypoint;
    if (!functionName().test(name)) {
      throw new RuntimeError('config', `entrypoint ${JSON.stringify(name)} does not name a function`, {
        path: name,
        hint: 'Write package.module:function.',
      });
    }
    return pythonLaunch(request, { type: 'function', name, title: name, argv0: name });
  },
  // Whether there is such a function only Python can tell: it may be installed, not part of the code.
  async verify() {},
};
