import { basename, join } from 'node:path';
import { controlText } from '../control.ts';
import { checkRelative, resolveEntrypoint } from '../entrypoint.ts';
import type { Kind } from '../kind.ts';
import { nodeBootstrap, nodeProgram } from './program.ts';

export const nodejs20: Kind = {
  id: 'nodejs20',
  aliases: [],
  displayName: 'Node.js 20',
  description: 'A JavaScript file, ES module or CommonJS: its main is called, or it runs as a script.',
  status: 'stable',
  footprint: '100 MB in the image, 6 MiB at rest',
  source: ['src/bot/kinds/node/nodejs20.ts', 'src/bot/kinds/node/program.ts'],
  entrypoint: 'file',
  startsEarly: true,
  launch(request) {
    checkRelative(request.entrypoint);
    const files = (list: readonly { id: string; path: string }[]) =>
      list.map(({ id, path }) => [id, join(request.codePath, path)]);
    const settings = {
      entrypoint: request.entrypoint,
      code: request.codePath,
      task: request.task.name,
      inputs: files(request.task.inputs),
      outputs: files(request.task.outputs),
    };
    return {
      argv: ['node', '-e', nodeBootstrap, basename(request.entrypoint)],
      env: {},
      // The launcher goes to the code path when the code is there.
      cwd: '/',
      control: controlText(`const launch = ${JSON.stringify(settings)};\n${nodeProgram}`),
    };
  },
  async verify(request) {
    await resolveEntrypoint(request.codePath, request.entrypoint);
  },
};
