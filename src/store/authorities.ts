import { readFileSync } from 'node:fs';

/** The certificates that are believed with those in `file`; undefined where that cannot be read: the variable may be meant for others. */
export function believed(file: string): string[] | undefined {
  try {
    const { getCACertificates } = process.getBuiltinModule('node:tls');
    return [...getCACertificates(), readFileSync(file, 'utf8')];
  } catch {
    return undefined;
  }
}
