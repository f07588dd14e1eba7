/** What a `bot.yaml` may hold: what a bot's folder and a host read, what only a host reads, and what is other tools'. */
export const botFields = {
  read: ['name', 'type', 'runtime', 'entrypoints', 'task', 'wrap'],
  host: [
    'code',
    'agent',
    'config',
    'enabled',
    'schedule',
    'resources',
    'restart',
    'stop',
    'network',
    'secrets',
    'env',
    'labels',
  ],
  others: ['description', 'version', 'author', 'schema', 'readme', 'metadata', 'hasFrontend'],
  entrypoints: ['bot', 'query', 'message'],
} as const;
