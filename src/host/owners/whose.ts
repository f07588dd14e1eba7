import { nameOf, type OwnerHost } from './owners.ts';

/** Why a bot is not run here, and what an operator does about it. `me`: this host. */
export function whose(owner: OwnerHost, me: OwnerHost): string {
  const start = `${nameOf(owner)} has this bot in the same store, and nothing runs twice.`;
  const remove = `runtime host remove --id ${owner.host}`;
  if (owner.host === me.host)
    return `${start} It has the id of this host: one works with a copy of the other's data folder. Remove the file host-id from the copy; if the folder was moved here, or this machine renamed: ${remove}`;
  return `${start} Leave it to one of them, by --bots, --only or a store of its own; if that host is gone for good: ${remove}`;
}

/** … when this host is the copy of one that lives, on an engine that says it is the same. */
export function copyOf(me: OwnerHost): string {
  return `another host ${me.host} lives, and was there first: this one works with a copy of its data folder, or on a copy of its machine. It starts nothing. Remove the file host-id from the copy's data folder`;
}
