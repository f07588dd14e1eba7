/** A line that fits. */
export interface Match {
  /** Below where it was searched. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly text: string;
  readonly before?: readonly string[];
  readonly after?: readonly string[];
}

/** A line is code that somebody has packed into one: it is cut. */
const MOST_CHARACTERS = 4096;

interface Line {
  readonly path: string;
  readonly number: number;
  readonly isMatch: boolean;
  readonly text: string;
}

/** What `grep -nZ` prints: `path NUL number`, a colon for a match or a hyphen for a line around one, and the line; `--` between groups. */
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
      column: 1,
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
  const line = text.slice(whole.length).replace(/\r$/, '').slice(0, MOST_CHARACTERS);
  return { path, number: Number(number), isMatch: mark === ':', text: line };
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
