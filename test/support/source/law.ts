/**
 * Who may import whom. A room imports itself and what stands below it: nothing above, and nothing beside it after a `|`. Where
 * two rooms lie in rooms of their own, those are compared: first the outer ones. `sees` names all that a room may
 * import outside itself. docs/architecture.md shows this very table.
 */
export const law = `
main.ts                                   which program a command line means
programs                                  a bundle each: agent, host, operator, …; the table of all commands
operator                                  what people type                          sees agent bot store base
protocol                                  the same in the words of other platforms  sees host/run host/sandboxes host/api host/engine base
host                                      many bots on one engine                   sees bot store base
host/commands                             the words of runtime host and runtime bots
host/run                                  the parts of a host, put together
host/doctor                               the checks before a host starts
host/gateway                              queries of all bots, port 9477
host/sandboxes                            bots that a protocol asks for
host/control                              the operator's socket
host/api                                  what all others see of a host
host/loop                                 looks at each bot when it must, and does what is decided
host/reconcile                            what to do about one bot: pure
host/sources | host/instances             what is wanted; what it is made of
host/data                                 the host's own folders
host/owners                               which host of a store has which bot
host/folderStore                          a folder as a store that containers reach
host/credentials                          each bot its own keys to the store
host/engine                               what runs instances
host/kubernetes                           the API of a cluster: access, requests, lists, watches
host/bots                                 a bot's specification
host/schedule | host/journal              time; what has happened
agent                                     one container                             sees bot store base
agent/roles                               its commands, and what they put together
agent/doctor                              the checks before a start
agent/supervisor | agent/daemon | agent/query
agent/supervisor/life                     from the start to the exit record
agent/supervisor/stop | agent/supervisor/guard | agent/supervisor/capture
agent/query/server                        port 9476, its own paths, its limits
agent/query/once                          one query by one process
agent/query/program                       the query program: start, keep, ask
agent/query/http                          both sides of the wire
agent/turns                               what was asked of an agent, and what became of it
agent/ledger                              what turns have cost
agent/links                               what carries turns to an agent
agent/process                             children, signals, what processes tell each other
box                                       one sandbox, from inside                  sees bot/answers base
bot                                       what a bot is: no process, no port        sees store base
bot/sync                                  code and state in, state and logs out
bot/answers | bot/events | bot/logs | bot/kinds | bot/code | bot/artifacts | bot/state
bot/state/history                         show, compare, verify, recover, prune
bot/state/restore                         from a snapshot to a tree
bot/state/publish                         from a tree to a snapshot
bot/state/claim                           whose turn it is, and which tree to keep
bot/state/local                           the tree on this disk, and its marker
bot/state/read                            from the head to the blobs
bot/state/format                          what is in the store
bot/config                                environment, flags, bot.yaml
store                                     one interface, three adapters             sees base
base                                      knows nothing of bots                     sees base
base/command                              what a command is, and how it is found
base/process                              the processes of this machine
base/parts                                large libraries, loaded by who needs them
base/tar                                  reading tar archives of every kind
`;

interface Row {
  readonly rooms: readonly string[];
  readonly sees: readonly string[] | undefined;
}

const rows: readonly Row[] = law
  .trim()
  .split('\n')
  .map((line) => {
    const [rooms = '', ...rest] = line.split(/\s{2,}/);
    const sees = rest.find((text) => text.startsWith('sees '));
    return { rooms: rooms.split(' | '), sees: sees?.split(' ').slice(1) };
  });

/** Why the file `from` may not import the file `to`, both below `src`; undefined: it may. */
export function breach(from: string, to: string): string | undefined {
  const [a, b] = [from.split('/'), to.split('/')];
  let depth = 0;
  while (a[depth] === b[depth] && depth < a.length) depth += 1;
  const [own, other] = [a, b].map((path) => path.slice(0, depth + 1).join('/')) as [string, string];
  const outer = rows.find(({ rooms }) => rooms.includes(a[0]!));
  if (!outer) return `${a[0]} is not a room of the law`;
  const isSeen = (room: string) => to === room || to.startsWith(`${room}/`);
  if (depth === 0 && outer.sees && !outer.sees.some(isSeen)) return `${a[0]} does not see ${room(to)}`;
  const [above, below] = [own, other].map((room) => rows.findIndex(({ rooms }) => rooms.includes(room)));
  // Files that lie beside the rooms of a room: they stand below these.
  if (above === -1 || below === -1) {
    return above === -1 && below !== -1 && own.endsWith('.ts') ? `${other} stands above ${own}` : undefined;
  }
  if (below! > above!) return undefined;
  return `${other} stands ${below === above ? 'beside' : 'above'} ${own}`;
}

/** The outermost room of a file, or the room below it where that has one of its own. */
function room(file: string): string {
  const names = rows.flatMap(({ rooms }) => rooms).filter((name) => file.startsWith(`${name}/`));
  return names.sort((one, other) => other.length - one.length)[0] ?? file.split('/')[0]!;
}

/** Rooms that the law names. */
export const rooms: readonly string[] = rows.flatMap(({ rooms }) => rooms);
