import { invalid } from '../http/httpError.ts';

export function readPort(port: unknown): number {
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw invalid({ port: 'expected the number of a port' });
}
