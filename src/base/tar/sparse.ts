import { BLOCK, type Blocks } from './blocks.ts';
import { number, safe } from './header.ts';
import { type PaxRecords, paxValue } from './pax.ts';
import { TarError } from './tarError.ts';

/** Where the bytes that the archive holds lie in the file; all else in it is zeros. */
export interface SparseMap {
  /** Of the whole file, bytes. */
  readonly size: number;
  readonly segments: readonly Segment[];
}

export interface Segment {
  readonly at: number;
  readonly length: number;
}

/** A file cut into more pieces than this is refused: the map is held in memory. */
const MAX_SEGMENTS = 1_000_000;

/** GNU's older kind: the map is in the header, and in blocks after it. */
export async function gnuSparse(header: Buffer, blocks: Blocks): Promise<SparseMap> {
  const segments: Segment[] = [];
  const read = (block: Buffer, start: number, count: number) => {
    for (let index = 0; index < count; index++) {
      const at = start + index * 24;
      // An unused pair is empty.
      if (block[at + 12] === 0) continue;
      segments.push({ at: number(block, at, 12), length: number(block, at + 12, 12) });
    }
  };
  read(header, 386, 4);
  let more = header[482] !== 0;
  while (more) {
    const block = await blocks.take(BLOCK);
    if (!block) throw new TarError('it is truncated');
    read(block, 0, 21);
    more = block[504] !== 0;
    checkCount(segments.length);
  }
  return checked({ size: number(header, 483, 12), segments });
}

/** GNU's three kinds in pax headers. Undefined: no sparse file. `used` is what the map took of the `size` stored bytes. */
export async function paxSparse(
  pax: PaxRecords,
  blocks: Blocks,
): Promise<{ readonly map: SparseMap; readonly used: number } | undefined> {
  const value = (key: string) => paxValue(pax, `GNU.sparse.${key}`)?.toString('latin1');
  const size = value('realsize') ?? value('size');
  if (size === undefined) {
    if (pax.some(([key]) => key.startsWith('GNU.sparse.'))) throw new TarError('a sparse file has no size');
    return undefined;
  }
  const version = `${value('major') ?? 0}.${value('minor') ?? 0}`;
  if (version === '1.0') return await mapInData(decimal(size), blocks);
  if (version !== '0.0' && version !== '0.1')
    throw new TarError(`a sparse file is of the unknown version ${version}`);
  const list = value('map');
  const numbers =
    list === undefined
      ? pax
          .filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
          .map(([, text]) => text.toString('latin1'))
      : list.split(',').filter((text) => text !== '');
  return { map: checked({ size: decimal(size), segments: pairs(numbers.map(decimal)) }), used: 0 };
}

/** The newest kind: lines of decimal numbers, the first one how many pairs follow, padded to whole blocks. */
async function mapInData(size: number, blocks: Blocks): Promise<{ map: SparseMap; used: number }> {
  const numbers: number[] = [];
  let wanted = 1;
  let rest = '';
  let used = 0;
  while (numbers.length < wanted) {
    const block = await blocks.take(BLOCK);
    if (!block) throw new TarError('it is truncated');
    used += BLOCK;
    const lines = `${rest}${block.toString('latin1')}`.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > 2 * BLOCK) throw new TarError('the map of a sparse file is damaged');
    for (const line of lines) {
      if (numbers.length === wanted) break;
      numbers.push(decimal(line));
      if (numbers.length > 1) continue;
      checkCount(numbers[0]!);
      wanted = 1 + numbers[0]! * 2;
    }
  }
  return { map: checked({ size, segments: pairs(numbers.slice(1)) }), used };
}

function pairs(numbers: readonly number[]): Segment[] {
  if (numbers.length % 2 !== 0) throw new TarError('the map of a sparse file is damaged');
  const segments: Segment[] = [];
  for (let index = 0; index < numbers.length; index += 2) {
    segments.push({ at: numbers[index]!, length: numbers[index + 1]! });
  }
  return segments;
}

/** In order, apart, and inside the file. */
function checked(map: SparseMap): SparseMap {
  checkCount(map.segments.length);
  let end = 0;
  for (const { at, length } of map.segments) {
    if (at < end || length < 0 || at + length > map.size)
      throw new TarError('the map of a sparse file is damaged');
    end = at + length;
  }
  return map;
}

function checkCount(count: number): void {
  if (count > MAX_SEGMENTS) throw new TarError(`a sparse file is in more than ${MAX_SEGMENTS} pieces`);
}

export function decimal(text: string): number {
  if (!/^\d{1,16}$/.test(text)) throw new TarError('a number in the tar is damaged');
  return safe(Number(text));
}
