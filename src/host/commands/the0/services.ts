import { partOfThe0 } from './part.ts';

export const botRunner = partOfThe0({
  name: 'bot-runner',
  summary: "the0's command: runs the realtime bots of its database",
  part: 'realtime',
  needsNats: false,
  flags: {
    'reconcile-interval': {
      means: 'RECONCILE_INTERVAL',
      description: 'how often the database is read (10s)',
    },
  },
});

export const botScheduler = partOfThe0({
  name: 'bot-scheduler',
  summary: "the0's command: runs the scheduled bots of its database",
  part: 'scheduled',
  needsNats: true,
  flags: {
    'check-interval': { means: 'RECONCILE_INTERVAL', description: 'how often the database is read (10s)' },
  },
});

export const queryServer = partOfThe0({
  name: 'query-server',
  summary: "the0's command: answers queries for the bots of its database",
  part: 'queries',
  needsNats: false,
  flags: { port: { means: 'RUNTIME_HOST_QUERY_PORT', description: 'QUERY_SERVER_PORT: the port (9477)' } },
});
