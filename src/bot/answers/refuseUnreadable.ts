import type { Duplex } from 'node:stream';
import { systemCode } from '../../base/errors.ts';
import { respondRaw } from './respond.ts';

/** For `clientError`: tells a client why its request could not be read. Whoever takes no notice of it is cut a little later. */
export function refuseUnreadable(error: Error, socket: Duplex): void {
  const code = systemCode(error);
  const [status, message, named] =
    code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ([408, 'the request did not arrive in time', 'bad_request'] as const)
      : code === 'HPE_HEADER_OVERFLOW'
        ? ([431, 'the headers are too large', 'too_large'] as const)
        : ([400, 'the request is not HTTP/1', 'bad_request'] as const);
  respondRaw(socket, status, { message, code: named });
}
