/** Why an archive cannot be read as a tar, in words; `entry` names where, as the archive has it. */
export class TarError extends Error {
  readonly entry: string | undefined;

  constructor(message: string, entry?: string) {
    super(message);
    this.name = 'TarError';
    this.entry = entry;
  }
}
