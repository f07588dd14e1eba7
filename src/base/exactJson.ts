/*
 * TypeScript's library does not know these yet: https://github.com/tc39/proposal-json-parse-with-source.
 */
const exact = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
};

/**
 * JSON whose numbers `JSON.stringify` writes as they were written: a number of an exchange (an order's id, a price) may have more
 * digits than a double. One that would come out otherwise is an object that only `JSON.stringify` understands. Throws `SyntaxError`.
 */
export function parseExactJson(text: string): unknown {
  return exact.parse(text, (_, value, { source }) =>
    typeof value === 'number' && String(value) !== source ? exact.rawJSON(source!) : value,
  );
}

/** Whether it is one of those. */
export function isExactNumber(value: unknown): boolean {
  return exact.isRawJSON(value);
}
