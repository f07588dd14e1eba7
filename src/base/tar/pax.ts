import { TarError } from './tarError.ts';

/** Records in their order: GNU's first kind of sparse file repeats keys. */
export type PaxRecords = readonly (readonly [key: string, value: Buffer])[];

/** Reads the records of a pax header, each `length key=value\n`. Throws `TarError`. */
export function parsePax(bytes: Buffer): PaxRecords {
  const records: [string, Buffer][] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space === -1 ? '' : bytes.toString('latin1', at, space);
    const end = at + Number(digits);
    const equals = bytes.indexOf(0x3d, space);
    const sound =
      /^[1-9]\d{0,9}$/.test(digits) &&
      end <= bytes.length &&
      equals > space &&
      equals < end &&
      bytes[end - 1] === 0x0a;
    // Some writers pad with zeros.
    if (!sound && bytes.subarray(at).every((byte) => byte === 0)) break;
    if (!sound) throw new TarError('a pax header of the tar is damaged');
    records.push([
      bytes.toString('utf8', space + 1, equals),
      Buffer.from(bytes.subarray(equals + 1, end - 1)),
    ]);
    at = end;
  }
  return records;
}

/** The last record of that name; an empty value takes back what stood before. */
export function paxValue(records: PaxRecords, key: string): Buffer | undefined {
  const value = records.findLast(([name]) => name === key)?.[1];
  return value?.length === 0 ? undefined : value;
}
