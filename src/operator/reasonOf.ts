import { systemCode } from '../base/errors.ts';

/** Why `fetch` gave nothing, in a word of the system's where it has one: its own message says that it failed, and no more. */
export function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return systemCode(cause) ?? (cause instanceof Error && cause.message !== '' ? cause.message : message);
}
