import { isObject } from '../../../bot/config/parsers.ts';

/**
 * The words of an error, where this is one: `{"error":{"message":…}}`, `{"error":…}`, or `{"message":…}` and `{"detail":…}` where there should
 * be a completion. An `error` that is null or empty is none.
 */
export function errorOf(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? errorIn(value) : undefined;
  } catch {
    return undefined;
  }
}

/** The same for what has been parsed. */
export function errorIn(value: Readonly<Record<string, unknown>>): string | undefined {
  const { error } = value;
  if (typeof error === 'string' && error !== '') return error;
  if (isObject(error) && Object.keys(error).length > 0) return wordsOf(error) ?? JSON.stringify(error);
  return Object.hasOwn(value, 'choices') ? undefined : wordsOf(value);
}

function wordsOf({ message, detail }: Readonly<Record<string, unknown>>): string | undefined {
  return [message, detail].find((text): text is string => typeof text === 'string' && text !== '');
}
