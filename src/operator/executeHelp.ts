/** What `runtime execute --help` says. Not with the command: every container loads that, and no container explains it. */
export const executeHelp = [
  'With DIR, the bot in that directory runs in place: bot.yaml (or bot-config.yaml) and config.json are read',
  'when they are there; store, state and logs lie in DIR/.runtime. Flags beat variables beat files. Python runs',
  'from DIR/.venv or DIR/venv. Where the port of queries is taken, a free one is used and printed.',
  '',
  'Examples:',
  '  runtime execute my-bot                               runs it where it lies',
  '  runtime execute my-bot --watch                       and again whenever its code changes',
  '  runtime execute my-bot --env-file .env --config \'{"symbol":"BTC"}\'',
  '  runtime execute my-bot --query /status limit=10      one query, answered from what is saved',
  '  runtime execute my-bot --debugpy 5678                a debugger attaches to 127.0.0.1:5678',
  '  BOT_ID=my-bot RUNTIME=python3.11 ENTRYPOINT=main.py CODE_FILE=my-bot.zip runtime execute     in a container',
  '',
  "Exit codes: the bot's own; 128+n when signal n ended it; 64 command line, 65 damaged data, 66 no such code,",
  '69 store unavailable, 74 not everything saved, 75 fenced, 77 refused, 78 configuration, 126/127 entrypoint.',
].join('\n');
