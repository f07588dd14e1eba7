/** A line that fits. */
export interface Match {
  /** Below where it was searched. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** Characters. */
  readonly column: number;
  readonly text: string;
  readonly before?: readonly string[];
  readonly after?: readonly string[];
}

/** What grep puts around what fits (`GREP_COLORS`): nobody writes a file with just these. */
export const MARK = '1;7;31;53';
const BEGIN = `\u001b[${MARK}m\u001b[K`;
const END = '\u001b[m\u001b[K';

/** A line is code that somebody has packed into one: it is cut. */
const MOST_CHARACTERS = 4096;

interface Line {
  readonly path: string;
  readonly number: number;
  readonly isMatch: boolean;
  readonly column: number;
  readonly text: string;
}

/** What `grep -nZ --color=always` prints: `path NUL number`, a colon for a match or a hyphen for a line around one, and the line; `--` between groups. */
export function parseMatches(output: string): Match[] {
  const lines = output.split('\n').map(parseLine);
  const matches: Match[] = [];
  for (const [index, line] of lines.entries()) {
    if (!line?.isMatch) continue;
    const before = around(lines, index, -1, line).reverse();
    const after = around(lines, index, 1, line);
    matches.push({
      path: line.path,
      line: line.number,
      column: line.column,
      text: line.text,
      ...(before.length > 0 && { before }),
      ...(after.length > 0 && { after }),
    });
  }
  return matches;
}

function parseLine(text: string): Line | undefined {
  const found = /^(?:\.\/)?([^\0]*)\0(\d+)([:-])/.exec(text);
  if (!found) return undefined;
  const [whole, path = '', number, mark] = found;
  const marked = text.slice(whole.length).replace(/\r$/, '');
  // Nothing is marked where nothing, an empty piece, fits.
  const column = Math.max(0, marked.indexOf(BEGIN)) + 1;
  const line = withoutMarks(marked).slice(0, MOST_CHARACTERS);
  return { path, number: Number(number), isMatch: mark === ':', column, text: line };
}

/** Only the ends that belong to one of our beginnings: a file may hold others. */
function withoutMarks(line: string): string {
  const [first = '', ...rest] = line.split(BEGIN);
  return first + rest.map((piece) => piece.replace(END, '')).join('');
}

/** The lines next to a match, up to the next match. */
function around(lines: readonly (Line | undefined)[], index: number, step: 1 | -1, match: Line): string[] {
  const found: string[] = [];
  for (let at = index + step; ; at += step) {
    const line = lines[at];
    if (!line || line.isMatch || line.path !== match.path || line.number !== match.number + (at - index))
      return found;
    found.push(line.text);
  }
}
