import { build } from '../base/build.ts';
import type { Command } from '../base/command/command.ts';

export const version: Command = {
  name: 'version',
  summary: 'version, Node version, commit',
  positionals: '',
  options: { json: { type: 'boolean', description: 'print one JSON object' } },
  run: async ({ flags, stdout }) => {
    const facts = { version: build.version, node: process.versions.node, commit: build.commit };
    stdout.write(
      flags.json
        ? `${JSON.stringify(facts)}\n`
        : `runtime ${facts.version} (node ${facts.node}, commit ${facts.commit})\n`,
    );
    return 0;
  },
};
