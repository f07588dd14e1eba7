/** Does what is asked for one key one after the other; what failed holds up nothing that comes after it. */
export type InTurn = <T>(key: string, work: () => Promise<T>) => Promise<T>;

export function createTurns(): InTurn {
  const turns = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const before = turns.get(key) ?? Promise.resolve();
    const done = before.catch(() => undefined).then(work);
    turns.set(key, done);
    const forget = () => {
      if (turns.get(key) === done) turns.delete(key);
    };
    done.then(forget, forget);
    return done;
  };
}
