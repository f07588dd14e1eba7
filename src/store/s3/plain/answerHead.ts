import type { IncomingHttpHeaders } from 'node:http';

/** What comes before the body of an answer. */
export interface AnswerHead {
  readonly status: number;
  /** Names in lower case; of several with one name the first. */
  readonly headers: IncomingHttpHeaders;
  /** Of the body: bytes, in chunks, or all until the connection ends. */
  readonly length: number | 'chunked' | 'until-close';
  /** Whether the server takes another request after it. */
  readonly keepsAlive: boolean;
}

/** Status line and headers. Throws `protocolError`. `method`: of the request; the answer to a HEAD has no body. */
export function parseAnswerHead(text: string, method: string): AnswerHead {
  const [first = '', ...lines] = text.split(/\r?\n/);
  const start = /^HTTP\/1\.([01]) ([1-9]\d\d)( |$)/.exec(first);
  if (!start) throw protocolError('HPE_INVALID_CONSTANT', 'not HTTP/1');
  const headers: IncomingHttpHeaders = Object.create(null);
  for (const line of lines) {
    if (line === '') break;
    const [, name, value] = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === undefined) throw protocolError('HPE_INVALID_HEADER_TOKEN', 'a header that is none');
    const key = name.toLowerCase();
    if (key === 'content-length' && (headers[key] ?? value) !== value)
      throw protocolError('HPE_UNEXPECTED_CONTENT_LENGTH', 'two lengths');
    headers[key] ??= value;
  }
  const status = Number(start[2]);
  const connection = headers.connection?.toLowerCase() ?? '';
  const keepsAlive = start[1] === '1' ? !connection.includes('close') : connection.includes('keep-alive');
  return { status, headers, keepsAlive, length: bodyLength(status, headers, method) };
}

function bodyLength(status: number, headers: IncomingHttpHeaders, method: string): AnswerHead['length'] {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return 0;
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  if (encoding !== undefined) {
    // Of two statements about where it ends, whoever is in between may believe the other one.
    if (length !== undefined) throw protocolError('HPE_UNEXPECTED_CONTENT_LENGTH', 'a length, and chunks');
    return /(^|,)\s*chunked$/i.test(encoding) ? 'chunked' : 'until-close';
  }
  if (length === undefined) return 'until-close';
  if (!/^\d{1,15}$/.test(length)) throw protocolError('HPE_INVALID_CONTENT_LENGTH', 'a length that is none');
  return Number(length);
}

/** With the codes of Node's own parser. */
export function protocolError(code: `HPE_${string}`, what: string): Error {
  return Object.assign(new Error(`the store's answer has ${what}`), { code });
}
