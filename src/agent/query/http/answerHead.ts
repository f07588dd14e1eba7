/** Thrown for an answer that is not HTTP, or more than we take. The message continues "its answer …". */
export class AnswerError extends Error {}

export interface AnswerHead {
  readonly status: number;
  readonly length: number | 'chunked' | 'until-close';
  readonly keepAlive: boolean;
}

/** Status line and headers; whatever does not matter for where the body ends is read over. */
export function parseHead(text: string): AnswerHead {
  const lines = text.split('\n');
  const start = /^HTTP\/1\.([01]) +([1-9]\d\d)(?!\d)/.exec(lines[0]!);
  if (start === null) throw new AnswerError('is not HTTP/1');
  const status = Number(start[2]);
  let length: number | undefined;
  let chunked = false;
  let connection = '';
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line
      .slice(colon + 1)
      .trim()
      .toLowerCase();
    if (name === 'content-length') length = agreedLength(value, length);
    else if (name === 'transfer-encoding') chunked = value.endsWith('chunked');
    else if (name === 'connection') connection = value;
  }
  const keepAlive = start[1] === '1' ? !connection.includes('close') : connection.includes('keep-alive');
  const bodiless = status < 200 || status === 204 || status === 304;
  if (bodiless) return { status, length: 0, keepAlive };
  return { status, length: chunked ? 'chunked' : (length ?? 'until-close'), keepAlive };
}

function agreedLength(value: string, other: number | undefined): number {
  const length = /^\d{1,15}$/.test(value) ? Number(value) : undefined;
  if (length === undefined || (other !== undefined && other !== length)) {
    throw new AnswerError('has no usable Content-Length');
  }
  return length;
}
