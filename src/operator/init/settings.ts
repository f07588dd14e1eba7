export interface Settings {
  readonly name: string;
  readonly kind: string;
  readonly bot: string;
  readonly query: string;
}

/** The files that samples of every kind have in common. */
export function settings({ name, kind, bot, query }: Settings): Readonly<Record<string, string>> {
  return {
    'bot.yaml': `name: ${JSON.stringify(name)}
runtime: ${kind}
# scheduled: runs, and ends by itself. realtime: runs until it is stopped, and answers queries on port 9476.
type: scheduled
entrypoints:
  bot: ${JSON.stringify(bot)}
  query: ${JSON.stringify(query)}
`,
    'config.json': '{\n  "greeting": "Hello"\n}\n',
    'README.md': `# ${name}

    runtime execute .                   # run it: each run continues from the state of the one before
    runtime execute . --query /status   # ask it

\`bot.yaml\` says what it is, \`config.json\` is its configuration. What it keeps goes into \`$STATE_DIR\`. State, logs and
the store of a local run lie in \`.runtime/\`.
`,
    '.gitignore': '.runtime/\n',
  };
}
