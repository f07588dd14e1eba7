import { readSync } from 'node:fs';

/** A file that begins as an ELF file does. */
export interface ElfFile {
  readonly descriptor: number;
  /** Its first bytes, at least 64, filled up with zeros, as the kernel reads it. */
  readonly head: Buffer;
  /** Bytes. */
  readonly size: number;
}

/** What of a 32-bit and of a 64-bit file stands where: bytes from the start of its header, and of each program header. */
const layouts = {
  1: {
    header: 52,
    entry: 24,
    table: 28,
    sections: 32,
    entrySize: 42,
    entries: 44,
    program: 32,
    offset: 4,
    length: 16,
  },
  2: {
    header: 64,
    entry: 24,
    table: 32,
    sections: 40,
    entrySize: 54,
    entries: 56,
    program: 56,
    offset: 8,
    length: 32,
  },
} as const;

/** `e_type` */
const RELOCATABLE = 1;
const DYNAMIC = 3;
const CORE = 4;
/** `p_type` */
const LOAD = 1;
const INTERPRETER = 3;
/** The kernel takes no longer table of program headers, and no longer name of a loader; bytes. */
const PAGE = 4096;
/** Up to and with `e_machine`; bytes. */
const IDENTIFIED = 20;

/**
 * Why this system cannot run the file: built for another one, not linked, or cut short. How long it has to be is what its headers
 * say that the kernel maps of it; what stands behind that (sections, an appended archive) no start needs. Its loader, where it
 * has one, is asked about with `loaderProblem`. Undefined: nothing that we know of.
 */
export function elfProblem(
  file: ElfFile,
  loaderProblem: (loader: string) => string | undefined,
): string | undefined {
  const { head, size } = file;
  if (size < IDENTIFIED) return cutShort(size, IDENTIFIED);
  const layout = layouts[head[4] as 1 | 2];
  const order = ({ 1: 'LE', 2: 'BE' } as const)[head[5] as 1 | 2];
  if (layout === undefined || order === undefined) return undefined;
  const short = (at: number) => head[`readUInt16${order}`](at);
  const word = (from: Buffer, at: number) => from[`readUInt32${order}`](at);
  const long = (from: Buffer, at: number) =>
    layout === layouts[1] ? word(from, at) : Number(from[`readBigUInt64${order}`](at));

  const type = short(16);
  const unfit = architectureProblem(short(18)) ?? typeProblem(type);
  if (unfit !== undefined) return unfit;
  const entries = short(layout.entries);
  const isHeader = entries > 0 && short(layout.entrySize) === layout.program;
  if (!isHeader && size < layout.header) return cutShort(size, layout.header);
  // The kernel takes none, and the C library gives what it does not take to a shell.
  if (entries === 0)
    return 'Its header is damaged: it names nothing that could be run. Build or copy it again.';
  if (!isHeader) return undefined;
  const start = long(head, layout.table);
  const end = start + entries * layout.program;
  if (end > size) return cutShort(size, end);
  if (end - start > PAGE) return undefined;
  const table = read(file, start, end);
  const mapped = Array.from({ length: entries }, (_, index) => index * layout.program)
    .map((at) => ({
      type: word(table, at),
      start: long(table, at + layout.offset),
      end: long(table, at + layout.offset) + long(table, at + layout.length),
    }))
    .filter(({ type, start, end }) => (type === LOAD || type === INTERPRETER) && end > start);
  // Packers, which leave no sections, may name a whole page that begins in the file; the kernel fills it up with zeros.
  const spared = long(head, layout.sections) === 0 ? PAGE - 1 : 0;
  const needed = Math.max(0, ...mapped.map(({ end }) => end));
  if (size + spared < needed) return cutShort(size, needed);

  const loader = mapped.find(({ type }) => type === INTERPRETER);
  if (loader !== undefined && loader.end - loader.start <= PAGE) {
    return loaderProblem(read(file, loader.start, loader.end).toString('utf8').split('\0', 1)[0] ?? '');
  }
  const isLibrary = type === DYNAMIC && loader === undefined && long(head, layout.entry) === 0;
  return isLibrary ? 'It is a shared library. Name the built program as the entrypoint.' : undefined;
}

function typeProblem(type: number): string | undefined {
  if (type === RELOCATABLE)
    return 'It is an object file, compiled and not linked. Name the linked program as the entrypoint.';
  if (type === CORE) return 'It is a core dump. Name the built program as the entrypoint.';
  return undefined;
}

function cutShort(size: number, needed: number): string {
  return `It is cut short: it has ${size} bytes, and its header says at least ${needed}. Build or copy it again.`;
}

/** The bytes from `start` to `end`, zeros where the file has none. Most linkers put what we look for into the head. */
function read({ descriptor, head }: ElfFile, start: number, end: number): Buffer {
  if (end <= head.length) return head.subarray(start, end);
  const bytes = Buffer.alloc(end - start);
  readSync(descriptor, bytes, 0, bytes.length, start);
  return bytes;
}

/** `e_machine` numbers that each of our architectures runs. */
const machines: Readonly<Record<string, readonly number[]>> = { x64: [62, 3], arm64: [183] };
const machineNames: Readonly<Record<number, string>> = {
  3: 'x86 (32 bits)',
  40: 'arm (32 bits)',
  62: 'x64',
  183: 'arm64',
  243: 'riscv64',
};

function architectureProblem(machine: number): string | undefined {
  if (machines[process.arch]?.includes(machine) ?? true) return undefined;
  const name = machineNames[machine] ?? `machine ${machine}`;
  return `It was built for ${name}, and this system is ${process.arch}. Build it for ${process.arch}.`;
}
