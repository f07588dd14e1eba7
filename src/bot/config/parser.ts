/** How one variable's text is read. Pure; undefined for text that is not valid. */
export interface Parser<T> {
  /** Completes "expected …". */
  readonly expects: string;
  parse(text: string): T | undefined;
}

export function matching(expects: string, pattern: RegExp, size = 4096): Parser<string> {
  return { expects, parse: (text) => (text.length <= size && pattern.test(text) ? text : undefined) };
}

export function oneOf<const T extends string>(...values: readonly T[]): Parser<T> {
  return { expects: values.join(' or '), parse: (text) => values.find((value) => value === text) };
}

export function integer(least: number, most: number): Parser<number> {
  return {
    expects: `a whole number from ${least} to ${most}`,
    parse: (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? value : undefined;
    },
  };
}
