import { basename } from 'node:path';
import { checkRelative, resolveEntrypoint } from '../entrypoint.ts';
import type { Kind } from '../kind.ts';
import { pythonLaunch, pythonSources } from './pythonLaunch.ts';

export const python311: Kind = {
  id: 'python3.11',
  aliases: [],
  displayName: 'Python 3.11',
  description: 'A Python file: its main is called by parameter names, or it runs as a script.',
  status: 'stable',
  footprint: '21 MB in the image, 4 MiB at rest',
  source: ['src/bot/kinds/python/python311.ts', ...pythonSources],
  entrypoint: 'file',
  startsEarly: true,
  answersMessages: true,
  async launch(request) {
    checkRelative(request.entrypoint);
    return pythonLaunch(request, {
      type: 'file',
      name: request.entrypoint,
      title: basename(request.entrypoint),
      argv0: request.entrypoint,
    });
  },
  async verify(request) {
    await resolveEntrypoint(request.codePath, request.entrypoint);
  },
};
