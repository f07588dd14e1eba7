import type { Engine } from '../../engine/engine.ts';

/** Kills and removes it, however long the engine takes: what is left is found by its label when the next host starts. */
export async function endInstance(engine: Engine, name: string): Promise<void> {
  const { signal } = new AbortController();
  await engine.kill(name, signal);
  await engine.remove(name, signal);
}
