/** A new bot's files by name. */
export type Sample = (name: string) => Readonly<Record<string, string>>;
