import type { Duplex } from 'node:stream';
import { systemCode } from '../../base/errors.ts';
import { respondRaw } from './respond.ts';

/** For `clientError`: tells a client why its request could not be read. Whoever takes no notice of it is cut a little later. */
export function refuseUnreadable(error: Error, socket: Duplex): void {
  const code = systemCode(error);
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') respondRaw(socket, 408, 'the request did not arrive in time');
  else if (code === 'HPE_HEADER_OVERFLOW') respondRaw(socket, 431, 'the headers are too large');
  else respondRaw(socket, 400, 'the request is not HTTP/1');
}
