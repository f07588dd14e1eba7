import type { Guard } from './guard.ts';

/** For a program that comes and goes: guards the group of the last pid that it was given, and no other. */
export function guardCurrent(guard: Guard): (pid: number | undefined) => void {
  let current: number | undefined;
  return (pid) => {
    guard.remove(current);
    current = pid;
    if (current !== undefined) guard.add(current);
  };
}
