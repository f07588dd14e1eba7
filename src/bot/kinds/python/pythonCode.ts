import type { Kind } from '../kind.ts';
import { pythonLaunch, pythonSources } from './pythonLaunch.ts';

export const pythonCode: Kind = {
  id: 'python-code',
  aliases: [],
  displayName: 'Python code',
  description: 'Python text, run as it is.',
  status: 'stable',
  footprint: '21 MB in the image, 4 MiB at rest',
  source: ['src/bot/kinds/python/pythonCode.ts', ...pythonSources],
  entrypoint: 'text',
  startsEarly: true,
  async launch(request) {
    return pythonLaunch(request, {
      type: 'code',
      name: request.entrypoint,
      title: 'python-code',
      argv0: '-c',
    });
  },
  async verify() {},
};
