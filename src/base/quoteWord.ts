/** One word of a shell's, whatever is in it. */
export const quoteWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
