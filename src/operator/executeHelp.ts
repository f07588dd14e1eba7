/** What `runtime execute --help` says. Not with the command: every container loads that, and no container explains it. */
export const executeHelp = [
  'With DIR, the bot in that directory runs in place: bot.yaml (or bot-config.yaml) and config.json are read',
  'when they are there; store, state and logs lie in DIR/.runtime. Flags beat variables beat files. Python runs',
  'from DIR/.venv or DIR/venv. Where the port of queries is taken, a free one is used and printed.',
  '',
  "Exit codes: the bot's own; 128+n when signal n ended it; 64 command line, 65 damaged data, 66 no such code,",
  '69 store unavailable, 74 not everything saved, 75 fenced, 77 refused, 78 configuration, 126/127 entrypoint.',
].join('\n');
