import type { CommandGroup } from '../../../base/command/command.ts';

export const bots: CommandGroup = {
  name: 'bots',
  summary: 'the bots of the host on this machine',
  commands: {
    ls: {
      summary: 'all bots: what is wanted, what is, and why not',
      load: async () => (await import('./ls.ts')).ls,
    },
    show: {
      summary: 'one bot, and why it runs or does not',
      load: async () => (await import('./show.ts')).show,
    },
    events: { summary: 'what has happened', load: async () => (await import('./events.ts')).events },
    logs: { summary: 'what a bot prints', load: async () => (await import('./logs.ts')).logs },
    apply: {
      summary: "write bots' files to the source",
      load: async () => (await import('./apply.ts')).apply,
    },
    enable: { summary: 'a bot is to run', load: async () => (await import('./change.ts')).enable },
    disable: { summary: 'a bot is not to run', load: async () => (await import('./change.ts')).disable },
    rm: { summary: 'take a bot out of the source', load: async () => (await import('./change.ts')).rm },
    run: { summary: 'a run now', load: async () => (await import('./run.ts')).run },
    restart: {
      summary: 'stop it and start it again',
      load: async () => (await import('./change.ts')).restart,
    },
    rollback: {
      summary: 'the specification before',
      load: async () => (await import('./rollback.ts')).rollback,
    },
    token: { summary: "a token for one bot's queries", load: async () => (await import('./token.ts')).token },
    drain: { summary: 'stop all in order, start none', load: async () => (await import('./drain.ts')).drain },
    resume: {
      summary: 'start bots again after a drain',
      load: async () => (await import('./drain.ts')).resume,
    },
    confirm: {
      summary: 'believe a source that wants fewer than half, let held changes continue',
      load: async () => (await import('./drain.ts')).confirm,
    },
  },
};
