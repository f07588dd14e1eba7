/** How far layers have come is told this often at most for each layer: a tenth of its bytes. */
const STEPS = 10;

interface Step {
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/** The lines of JSON of a pull as lines for people: each status of a layer once, and each tenth of what is downloaded. */
export function pullProgress(onLine: (line: string) => void): { push(bytes: Buffer): void } {
  const told = new Map<string, string>();
  let rest = '';
  return {
    push: (bytes) => {
      const lines = (rest + bytes.toString()).split('\n');
      rest = lines.pop()!.slice(-16_384);
      for (const text of lines) {
        const step = parse(text);
        if (step?.status === undefined) continue;
        const { id = '', status, progressDetail } = step;
        const { current, total } = progressDetail ?? {};
        const part =
          current !== undefined && total ? ` ${Math.floor((current / total) * STEPS) * STEPS} %` : '';
        const line = `${id === '' ? '' : `${id}: `}${status}${part}`;
        if (told.get(id) === line) continue;
        told.set(id, line);
        onLine(line);
      }
    },
  };
}

function parse(text: string): Step | undefined {
  try {
    return JSON.parse(text) as Step;
  } catch {
    return undefined;
  }
}
