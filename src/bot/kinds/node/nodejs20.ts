import { basename } from 'node:path';
import { controlText } from '../control.ts';
import { checkRelative, resolveEntrypoint } from '../entrypoint.ts';
import type { Kind } from '../kind.ts';
import { launchArgs } from '../task/launchArgs.ts';
import { launchTask } from '../task/launchTask.ts';

export const nodejs20: Kind = {
  id: 'nodejs20',
  aliases: [],
  displayName: 'Node.js 20',
  description: 'A JavaScript file, ES module or CommonJS: its main is called, or it runs as a script.',
  status: 'stable',
  footprint: '100 MB in the image, 6 MiB at rest',
  source: ['nodejs20.ts', 'bootstrap.cjs', 'launcher.cjs', 'agent.cjs'].map(
    (name) => `src/bot/kinds/node/${name}`,
  ),
  entrypoint: 'file',
  startsEarly: true,
  answersMessages: true,
  async launch(request) {
    checkRelative(request.entrypoint);
    const { nodeBootstrap, nodeProgram } = await import('../parts/nodeProgram.ts');
    const { answersMessages } = request;
    const program = answersMessages
      ? `${(await import('../parts/nodeAgent.ts')).nodeAgent}\n${nodeProgram}`
      : nodeProgram;
    const settings = {
      entrypoint: request.entrypoint,
      code: request.codePath,
      args: launchArgs(request),
      messages: answersMessages === true,
      ...launchTask(request),
    };
    return {
      argv: ['node', '-e', nodeBootstrap, basename(request.entrypoint)],
      env: {},
      // The launcher goes to the code path when the code is there.
      cwd: '/',
      control: controlText(`const launch = ${JSON.stringify(settings)};\n${program}`),
      ...(answersMessages && { channel: 'control' as const }),
    };
  },
  async verify(request) {
    await resolveEntrypoint(request.codePath, request.entrypoint);
  },
};
